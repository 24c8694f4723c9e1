package crossbridge.profiling;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** What an adapter records through: null where profiling is off. Any thread; never throws into a test. */
public final class Collector {
    private static final long ROTATE_BYTES = 64L << 20;
    private static final Set<String> FAILING = Set.of("failed", "error", "interrupted");
    private static final Set<String> CLAIMED = ConcurrentHashMap.newKeySet();
    private static Collector shared;
    private static boolean asked;

    private final Settings settings;
    private final Sources sources;
    private final SegmentWriter writer;
    private final Shipper shipper;
    private final String framework;
    private final String fork = Launch.worker();
    private final List<TestObserver> observers = observers();
    private final Map<String, Long> attempts = new ConcurrentHashMap<>();
    private final Set<String> failing = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closed = new AtomicBoolean();
    private int running;
    private boolean ran;
    private boolean failed;

    private Collector(Settings settings, String framework, String version) {
        this.settings = settings;
        this.framework = framework;
        sources = new Sources(settings.projectRoot);
        writer = new SegmentWriter(settings, framework, version, ROTATE_BYTES);
        boolean delivers = settings.string("PROFILING_BACKEND").equals("postgres") && settings.get("DB_HOST") != null;
        shipper = delivers ? new Shipper(settings, writer) : null;
    }

    /**
     * Returns this process's collector, opened at the first call with the framework that asks; null where profiling is
     * off. It ends with the process: a framework says by {@link #runStarts} and {@link #runEnds} how far it came.
     */
    public static synchronized Collector shared(String framework, String version) {
        if (!asked) {
            asked = true;
            shared = open(framework, version);
        }
        return shared;
    }

    /** Returns the collector that an adapter of a framework has opened, or null. */
    public static synchronized Collector opened() {
        return shared;
    }

    /** Returns whether profiling is switched on, by settings that are right. */
    public static boolean isOn() {
        try {
            return settings().enabled;
        } catch (Settings.Bad | RuntimeException | LinkageError error) {
            return false; // open() says why
        }
    }

    /** Runs what records. Whatever goes wrong in it, the test goes on and hears nothing of it. */
    public static void guarded(Runnable recording) {
        try {
            recording.run();
        } catch (RuntimeException | Error error) {
            if (System.getenv("CROSSBRIDGE_STRICT") != null) {
                error.printStackTrace(); // for the tests of adapters: a run's output must be as without us
            }
        }
    }

    /** An adapter says that it records all tests of this kind: where another one sees them too, it leaves them alone. */
    public static void claim(String kind) {
        CLAIMED.add(kind);
    }

    public static boolean isClaimed(String kind) {
        return CLAIMED.contains(kind);
    }

    /** Opens a collector; a bad setting gives one line on stderr and null. */
    static Collector open(String framework, String version) {
        try {
            Settings settings = settings();
            if (!settings.enabled) {
                return null;
            }
            Collector collector = new Collector(settings, framework, version);
            if (collector.shipper != null) {
                collector.shipper.start();
            }
            Runtime.getRuntime().addShutdownHook(new Thread(() -> collector.close(null), "crossbridge end"));
            return collector;
        } catch (Settings.Bad bad) {
            System.err.println("crossbridge: " + bad.getMessage() + " Profiling is off for this run.");
            return null;
        } catch (RuntimeException | LinkageError error) {
            return null;
        }
    }

    private static Settings settings() throws Settings.Bad {
        return new Settings(System.getenv(), Settings.findProjectRoot(Path.of("").toAbsolutePath()));
    }

    public boolean collect(Event event) {
        if (event.owner != null && event.owner.holds(event)) {
            return true;
        }
        boolean taken = writer.append(event);
        if (shipper != null) {
            shipper.noteEvent();
        }
        return taken;
    }

    /** A framework begins to run tests; one that ends without {@link #runEnds} makes the run interrupted. */
    public synchronized void runStarts() {
        running++;
        ran = true;
    }

    public synchronized void runEnds() {
        running--;
    }

    /** Something broke that is no test's: the run failed. */
    public synchronized void runFails() {
        failed = true;
    }

    /** Returns a framework's own name for a test as {@code spec/identity.md} has it. */
    public String testId(String raw) {
        return Identity.testId(raw, settings.projectRoot.toString());
    }

    /** Returns the path of a test class's source from the project root, or null. */
    public String file(String className) {
        return className == null ? null : sources.file(className);
    }

    /**
     * An attempt begins on this thread: it is recorded, counted by its test_id and becomes {@link Current}. Suite, file
     * and worker, which names a thread of several, may be null.
     */
    public Current startTest(String testId, String framework, String suite, String file, String worker) {
        Current test = prepareTest(framework, worker);
        nameTest(test, testId, suite, file);
        return test;
    }

    /**
     * The same for a framework that sets a test up before it says which one: what is recorded for the test meanwhile
     * waits for {@link #nameTest} or {@link #dropTest}.
     */
    public Current prepareTest(String framework, String worker) {
        String whole = worker == null || fork == null ? worker : fork + "/" + worker;
        Current test = new Current(unlessHeaders(framework), whole);
        test.begin();
        for (TestObserver observer : observers) {
            guarded(() -> observer.testStarts(test));
        }
        return test;
    }

    /** Names a test that was prepared: it is recorded, as of when that was, and counted. */
    public void nameTest(Current test, String testId, String suite, String file) {
        test.suite = suite;
        test.file = file;
        List<Event> waited = test.name(testId, attempts.merge(testId, 1L, Long::sum));
        Event start = test.event("test_start");
        start.atUs = test.startUs;
        start.suite = suite;
        start.file = file;
        collect(start);
        waited.forEach(this::collect);
    }

    /** A test that was prepared never began: calls in its set-up are no test's. */
    public void dropTest(Current test) {
        test.end();
        test.name(null, 1).forEach(this::collect);
    }

    /**
     * An attempt ended: {@code end} is an event {@code test_end} of the test's with its status. A duration of null is
     * the time since its start, no shorter than a microsecond.
     */
    public void endTest(Current test, Event end) {
        for (TestObserver observer : observers) {
            guarded(() -> observer.testEnds(test));
        }
        if (end.durationUs == null) {
            end.durationUs = Math.max(1, (System.nanoTime() - test.startNs) / 1000);
            end.atUs = test.startUs + end.durationUs;
        }
        end.suite = test.suite;
        end.file = test.file;
        collect(end);
        test.end();
        if (FAILING.contains(end.status)) {
            failing.add(test.testId);
        } else if (!failing.isEmpty()) {
            failing.remove(test.testId);
        }
    }

    /** An HTTP call ended now, for this thread's test. Status 0 or an error of null: there was none. */
    public void httpCall(String method, String url, int status, long durationUs, String error) {
        Event call = call("http_call");
        call.method = method;
        call.endpoint = Identity.endpoint(url);
        call.statusCode = status == 0 ? null : Long.valueOf(status);
        call.durationUs = durationUs;
        call.error = error;
        collect(call);
    }

    /** A command to a browser ended at {@code atUs}, for this thread's test. Target and error may be null. */
    public void driverCommand(
            String command, String target, long atUs, long durationUs, long retryCount, String error) {
        Event call = call("driver_command");
        call.atUs = atUs;
        call.command = command;
        call.target = target;
        call.durationUs = durationUs;
        call.retryCount = retryCount;
        call.error = error;
        collect(call);
    }

    /** Ends the run's segment and waits for its delivery, no longer than the drain time-out. */
    void close(String status) {
        if (closed.getAndSet(true)) {
            return;
        }
        writer.close(status == null ? status() : status);
        if (shipper != null) {
            shipper.drain();
        }
    }

    private synchronized String status() {
        if (!ran || running > 0) {
            return "interrupted"; // by System.exit in a test
        }
        return failing.isEmpty() && !failed ? "passed" : "failed";
    }

    private static Event call(String type) {
        Current test = Current.get();
        Event call = test == null ? new Event(type) : test.event(type);
        call.worker = null;
        return call;
    }

    private String unlessHeaders(String framework) {
        return this.framework.equals(framework) ? null : framework;
    }

    private static List<TestObserver> observers() {
        List<TestObserver> found = new ArrayList<>();
        Iterator<TestObserver> all = ServiceLoader.load(TestObserver.class, Collector.class.getClassLoader()).iterator();
        for (int broken = 0; broken < 10; broken++) {
            try {
                while (all.hasNext()) {
                    found.add(all.next());
                }
                return found;
            } catch (ServiceConfigurationError | LinkageError error) {
                continue; // of a library that this project does not have
            }
        }
        return found;
    }
}
