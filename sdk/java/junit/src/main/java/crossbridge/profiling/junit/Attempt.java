package crossbridge.profiling.junit;

import crossbridge.profiling.Current;
import crossbridge.profiling.Event;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A test of the platform's that runs, and when its body began and ended. */
final class Attempt {
    /** By unique id. Filled by the listener, read by the extension. */
    static final Map<String, Attempt> RUNNING = new ConcurrentHashMap<>();
    /** Whether Jupiter has our extension, so that a test without a body's begin failed before it. */
    static volatile boolean phased;

    private final Current test;
    /** Whether the test has a set-up and a body of its own: not so a dynamic test, or one of another engine. */
    private final boolean hasPhases;
    private volatile long bodyNs;
    private volatile long bodyEndNs;
    private volatile boolean bodyFailed;

    Attempt(Current test, boolean hasPhases) {
        this.test = test;
        this.hasPhases = hasPhases && phased;
    }

    Current test() {
        return test;
    }

    void bodyStarts() {
        bodyNs = System.nanoTime();
    }

    void bodyEnds(boolean failed) {
        bodyEndNs = System.nanoTime();
        bodyFailed = failed;
    }

    /** Returns the attempt's end: what failed outside of the body is an error. Error null: none was thrown. */
    Event end(String status, Throwable error) {
        Event end = test.event("test_end");
        if (hasPhases) {
            long nowNs = System.nanoTime();
            end.setupUs = ((bodyNs == 0 ? nowNs : bodyNs) - test.startNs) / 1000;
            end.teardownUs = bodyEndNs == 0 ? null : Long.valueOf((nowNs - bodyEndNs) / 1000);
        }
        end.status = status.equals("failed") && hasPhases && !bodyFailed ? "error" : status;
        end.threw(error);
        return end;
    }
}
