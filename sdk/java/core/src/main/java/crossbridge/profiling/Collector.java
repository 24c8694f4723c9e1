package crossbridge.profiling;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/** What an adapter records through: null where profiling is off. Any thread; never throws into a test. */
final class Collector {
    private static final long ROTATE_BYTES = 64L << 20;
    private final SegmentWriter writer;
    private final Shipper shipper;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Collector(SegmentWriter writer, Shipper shipper) {
        this.writer = writer;
        this.shipper = shipper;
    }

    /** Opens the collector of this process; a bad setting gives one line on stderr and null. */
    static Collector open(String framework, String version) {
        try {
            Settings settings = new Settings(System.getenv(), Settings.findProjectRoot(Path.of("").toAbsolutePath()));
            if (!settings.enabled) {
                return null;
            }
            SegmentWriter writer = new SegmentWriter(settings, framework, version, ROTATE_BYTES);
            boolean delivers = settings.string("PROFILING_BACKEND").equals("postgres") && settings.get("DB_HOST") != null;
            Shipper shipper = delivers ? new Shipper(settings, writer) : null;
            if (shipper != null) {
                shipper.start();
            }
            Collector collector = new Collector(writer, shipper);
            // A run that ends without its adapter's word, by System.exit in a test.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> collector.close("interrupted"), "crossbridge end"));
            return collector;
        } catch (Settings.Bad bad) {
            System.err.println("crossbridge: " + bad.getMessage() + " Profiling is off for this run.");
            return null;
        } catch (RuntimeException | LinkageError error) {
            return null;
        }
    }

    boolean collect(Event event) {
        return writer.append(event);
    }

    /** Ends the run's segment and waits for its delivery, no longer than the drain time-out. */
    void close(String status) {
        if (closed.getAndSet(true)) {
            return;
        }
        writer.close(status);
        if (shipper != null) {
            shipper.drain();
        }
    }
}
