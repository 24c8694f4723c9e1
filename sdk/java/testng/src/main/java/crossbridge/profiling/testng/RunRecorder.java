package crossbridge.profiling.testng;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Current;
import crossbridge.profiling.Event;
import crossbridge.profiling.Workers;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.testng.ISuite;
import org.testng.ITestContext;
import org.testng.ITestNGMethod;
import org.testng.ITestResult;

/**
 * Records one run of TestNG's. Any thread: set-up, body and tear-down of a test follow each other on one.
 *
 * <p>TestNG says when a body has ended and not when the tear-down has: a test ends with the last of its class's
 * {@code @AfterMethod}s, or at the latest where the thread goes on to something else.
 */
final class RunRecorder {
    private final Collector collector;
    private final Names names = new Names();
    private final Workers workers = new Workers();
    private final ThreadLocal<Attempt> ofThread = new ThreadLocal<>();
    private final ThreadLocal<Long> wideStartNs = new ThreadLocal<>();
    /** What this thread is about to try again. */
    private final ThreadLocal<Attempt> retried = new ThreadLocal<>();
    private final Set<Attempt> open = ConcurrentHashMap.newKeySet();

    RunRecorder(Collector collector) {
        this.collector = collector;
        collector.runStarts();
    }

    void suiteStarts(ISuite suite) {
        names.suiteStarts(suite.getAllMethods());
    }

    void contextStarts(ITestContext context) {
        names.contextStarts(context.getAllTestMethods());
    }

    void contextEnds(ITestContext context) {
        for (Attempt attempt : open) {
            if (attempt.context == context) {
                finish(attempt);
            }
        }
    }

    void end() {
        open.forEach(this::finish);
        collector.runEnds();
    }

    void configurationStarts(ITestResult configuration) {
        ITestNGMethod method = configuration.getMethod();
        if (method.isBeforeMethodConfiguration()) {
            attempt(configuration).setUp = true;
        } else if (!method.isAfterMethodConfiguration()) {
            if (!method.isAfterGroupsConfiguration()) {
                finishEnded();
            }
            wideStartNs.set(System.nanoTime());
        }
    }

    /** A configuration method ended: passed, skipped, or broken. */
    void configurationEnds(ITestResult configuration, boolean broken) {
        ITestNGMethod method = configuration.getMethod();
        Throwable thrown = configuration.getThrowable();
        Attempt attempt = ofThread.get();
        if (attempt == null) {
            return;
        }
        if (method.isBeforeMethodConfiguration()) {
            attempt.setUpEnds(thrown, broken);
        } else if (method.isAfterMethodConfiguration() && attempt.tearDownEnds(thrown, broken)) {
            finish(attempt);
        }
    }

    void configurationFails(ITestResult configuration) {
        ITestNGMethod method = configuration.getMethod();
        if (method.isBeforeMethodConfiguration() || method.isAfterMethodConfiguration()) {
            configurationEnds(configuration, true);
            return;
        }
        Long startNs = wideStartNs.get();
        wideStartNs.remove();
        String className = configuration.getTestClass().getName();
        String testId = names.own(collector.testId(className + "#" + method.getMethodName()));
        Current row = collector.startTest(testId, "testng", className, collector.file(className), null);
        Event end = row.event("test_end");
        end.status = "error";
        end.durationUs = startNs == null ? 1 : Math.max(1, (System.nanoTime() - startNs) / 1000);
        end.setupUs = method.isAfterClassConfiguration() ? null : end.durationUs;
        end.threw(configuration.getThrowable());
        collector.endTest(row, end);
    }

    void testStarts(ITestResult result) {
        Attempt attempt = attempt(result);
        name(attempt, result);
        attempt.bodyStarts();
    }

    void testEnds(ITestResult result, String status) {
        Attempt attempt = attempt(result);
        if (attempt.id == null) {
            name(attempt, result); // skipped before it began
        }
        int tearDowns = attempt.hasBegun() ? result.getMethod().getTestClass().getAfterTestMethods().length : 0;
        attempt.bodyEnds(Outcome.status(result, status), result.getThrowable(), tearDowns);
        if (result.wasRetried()) {
            retried.set(attempt);
        }
        if (tearDowns == 0) {
            finish(attempt);
        }
    }

    /** Returns this thread's test; begins it where the one before has ended. */
    private Attempt attempt(ITestResult result) {
        finishEnded();
        Attempt attempt = ofThread.get();
        if (attempt == null) {
            int worker = workers.take();
            attempt = new Attempt(
                collector.prepareTest("testng", Workers.name(worker)), worker, result.getTestContext());
            ofThread.set(attempt);
            open.add(attempt);
        }
        return attempt;
    }

    private void name(Attempt attempt, ITestResult result) {
        attempt.raw = names.raw(result);
        Attempt before = retried.get();
        retried.remove();
        boolean again = before != null && before.raw.equals(attempt.raw);
        attempt.id = again ? before.id : names.own(collector.testId(attempt.raw));
        String className = result.getTestClass().getName();
        collector.nameTest(attempt.test, attempt.id, className, collector.file(className));
    }

    private void finishEnded() {
        Attempt attempt = ofThread.get();
        if (attempt != null && attempt.hasEnded()) {
            finish(attempt);
        }
    }

    private void finish(Attempt attempt) {
        if (ofThread.get() == attempt) {
            ofThread.remove();
        }
        if (!open.remove(attempt)) {
            return; // another thread has finished it
        }
        workers.give(attempt.worker);
        if (attempt.id == null) {
            collector.dropTest(attempt.test);
        } else {
            collector.endTest(attempt.test, attempt.end());
        }
    }
}
