package crossbridge.profiling.testng;

import crossbridge.profiling.Current;
import crossbridge.profiling.Event;
import org.testng.ITestContext;

/** One attempt of a test: its set-up, body and tear-down, in one thread. */
final class Attempt {
    final Current test;
    final int worker;
    final ITestContext context;
    /** As TestNG says, and as recorded: null until the framework says which test this is. */
    String raw;
    String id;
    /** Whether a set-up has begun. */
    boolean setUp;
    private long bodyNs;
    private long bodyEndNs;
    private long lastNs;
    private int tearDowns;
    private boolean toreDown;
    private String status = "interrupted";
    private Throwable thrown;
    private Throwable broken;
    private Throwable skipped;

    Attempt(Current test, int worker, ITestContext context) {
        this.test = test;
        this.worker = worker;
        this.context = context;
        lastNs = test.startNs;
    }

    void setUpEnds(Throwable thrown, boolean broken) {
        lastNs = System.nanoTime();
        skipped = broken ? skipped : thrown;
        breaks(thrown, broken);
    }

    void bodyStarts() {
        bodyNs = System.nanoTime();
    }

    /** The body ended, or will not begin; so many tear-downs are to come. */
    void bodyEnds(String status, Throwable thrown, int tearDowns) {
        this.status = status;
        this.thrown = thrown;
        this.tearDowns = tearDowns;
        bodyEndNs = System.nanoTime();
        lastNs = bodyEndNs;
    }

    /** Returns whether this was the last tear-down. */
    boolean tearDownEnds(Throwable thrown, boolean broken) {
        lastNs = System.nanoTime();
        toreDown = true;
        breaks(thrown, broken);
        return --tearDowns <= 0 && hasEnded();
    }

    boolean hasBegun() {
        return setUp || bodyNs != 0;
    }

    boolean hasEnded() {
        return bodyEndNs != 0;
    }

    /** Returns the event of its end: a set-up or tear-down that broke makes an error, unless the body failed; so does data that broke. */
    Event end() {
        Event end = test.event("test_end");
        boolean bodyFailed = status.equals("failed") && bodyNs != 0;
        boolean isError = !bodyFailed && (broken != null || status.equals("failed"));
        end.status = isError ? "error" : status;
        end.threw(why(isError));
        end.durationUs = hasBegun() ? Math.max(1, (lastNs - test.startNs) / 1000) : 0;
        end.atUs = test.startUs + end.durationUs;
        if (setUp) {
            end.setupUs = ((bodyNs == 0 ? bodyEndNs : bodyNs) - test.startNs) / 1000;
        }
        if (toreDown) {
            end.teardownUs = (lastNs - bodyEndNs) / 1000;
        }
        return end;
    }

    private Throwable why(boolean isError) {
        if (isError && broken != null) {
            return broken;
        }
        if (status.equals("skipped") && skipped != null) {
            return skipped; // TestNG says the first one of all
        }
        return status.equals("passed") ? null : thrown;
    }

    private void breaks(Throwable thrown, boolean breaks) {
        if (breaks && broken == null) {
            broken = thrown;
        }
    }
}
