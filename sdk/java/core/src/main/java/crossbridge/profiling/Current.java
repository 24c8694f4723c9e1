package crossbridge.profiling;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A test that runs: set by the adapters of test frameworks, read by those of libraries. Any thread.
 *
 * <p>A thread has the test that began on it or on the thread that started it. A thread of a pool may be older than the
 * test it works for: it has the one test that runs in this process, or none where several do.
 */
public final class Current {
    private static final InheritableThreadLocal<Current> OF_THREAD = new InheritableThreadLocal<>();
    private static final Collection<Current> RUNNING = new ConcurrentLinkedDeque<>();

    /** Null until the test is named: see {@link Collector#prepareTest}. */
    public volatile String testId;
    public volatile long attempt = 1;
    /** Null: the framework, or the worker, that the segment's header names. */
    public final String framework;
    public final String worker;
    public volatile String suite;
    public volatile String file;
    public final long startNs = System.nanoTime();
    public final long startUs = Clock.nowUs();
    private final AtomicLong steps = new AtomicLong();
    private final List<Event> held = new ArrayList<>();
    private final Current outer = OF_THREAD.get();
    private volatile boolean ended;

    Current(String framework, String worker) {
        this.framework = framework;
        this.worker = worker;
    }

    /** Returns the test that this thread works for, or null. */
    public static Current get() {
        Current test = OF_THREAD.get();
        while (test != null && test.ended) {
            test = test.outer;
        }
        return test == null ? onlyOne() : test;
    }

    /** Makes this the test of the calling thread, for an adapter whose framework goes on in another thread. */
    public void enter() {
        OF_THREAD.set(this);
    }

    /** Returns the number of the test's next step, from 0. */
    public long nextStep() {
        return steps.getAndIncrement();
    }

    /** Returns an event of this attempt that happens now. */
    public Event event(String type) {
        Event event = new Event(type);
        event.owner = this;
        event.testId = testId;
        event.attempt = attempt;
        event.framework = framework;
        event.worker = worker;
        return event;
    }

    /** Whether the event waits here for the test's name. */
    synchronized boolean holds(Event event) {
        event.testId = testId;
        event.attempt = attempt;
        return testId == null && !ended && held.add(event);
    }

    /** Names the test, or null: there is none; returns what waited for it. */
    synchronized List<Event> name(String testId, long attempt) {
        this.attempt = attempt;
        this.testId = testId;
        return List.copyOf(held);
    }

    void begin() {
        RUNNING.add(this);
        enter();
    }

    void end() {
        ended = true;
        RUNNING.remove(this);
        if (OF_THREAD.get() == this) {
            if (outer == null || outer.ended) {
                OF_THREAD.remove();
            } else {
                OF_THREAD.set(outer);
            }
        }
    }

    private static Current onlyOne() {
        Iterator<Current> running = RUNNING.iterator();
        Current first = running.hasNext() ? running.next() : null;
        return running.hasNext() ? null : first;
    }
}
