package crossbridge.profiling.junit;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Current;
import crossbridge.profiling.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Records one execution of a test plan. Any thread. */
final class PlanRecorder {
    private static final Pattern WORKER = Pattern.compile("worker-[0-9]+$");
    private static final Set<String> WITH_PHASES = Set.of("method", "test-template-invocation");

    private final TestPlan plan;
    private final Collector collector;
    /** Unique ids of tests that began or were skipped: what a container that fails did not come to. */
    private final Set<String> begun = ConcurrentHashMap.newKeySet();

    private final Map<String, Long> containerStartNs = new ConcurrentHashMap<>();

    PlanRecorder(TestPlan plan, Collector collector) {
        this.plan = plan;
        this.collector = collector;
        collector.runStarts();
    }

    void end() {
        collector.runEnds();
    }

    /** An invocation or a dynamic test is known: it takes its name now, as later it may run beside its like. */
    void registered(TestIdentifier test) {
        if (test.isTest()) {
            testId(new Names(plan, test), test);
        }
    }

    void started(TestIdentifier test) {
        if (test.isTest()) {
            Attempt.RUNNING.put(test.getUniqueId(), begin(test));
        } else {
            containerStartNs.put(test.getUniqueId(), System.nanoTime());
        }
    }

    void skipped(TestIdentifier test, String reason) {
        for (TestIdentifier leaf : leaves(test)) {
            Current attempt = begin(leaf).test();
            Event end = attempt.event("test_end");
            end.status = "skipped";
            end.errorMessage = reason;
            end.durationUs = 0L;
            collector.endTest(attempt, end);
        }
    }

    void finished(TestIdentifier test, TestExecutionResult result) {
        Long startNs = containerStartNs.remove(test.getUniqueId());
        Attempt attempt = Attempt.RUNNING.remove(test.getUniqueId());
        if (attempt != null) {
            collector.endTest(attempt.test(), attempt.end(Outcome.status(result), result.getThrowable().orElse(null)));
        } else if (startNs != null && result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
            containerFailed(test, result, (System.nanoTime() - startNs) / 1000);
        }
    }

    private Attempt begin(TestIdentifier test) {
        Names names = new Names(plan, test);
        begun.add(test.getUniqueId());
        Matcher worker = WORKER.matcher(Thread.currentThread().getName());
        return new Attempt(
            collector.startTest(testId(names, test), "junit", names.className, collector.file(names.className),
                worker.find() ? worker.group() : null),
            WITH_PHASES.contains(Names.segment(test.getUniqueId())));
    }

    /**
     * What the container did not come to shares its end, as in JUnit's own report, and the first of it has its time;
     * where all has run already, the container is a row of its own.
     */
    private void containerFailed(TestIdentifier container, TestExecutionResult result, long durationUs) {
        boolean failed = result.getStatus() == TestExecutionResult.Status.FAILED;
        List<TestIdentifier> leaves = leaves(container);
        leaves.removeIf(leaf -> begun.contains(leaf.getUniqueId()));
        if (leaves.isEmpty() && failed) {
            leaves.add(container);
        }
        long shareUs = durationUs;
        for (TestIdentifier leaf : leaves) {
            Current attempt = begin(leaf).test();
            Event end = attempt.event("test_end");
            end.status = failed ? "error" : "skipped";
            end.durationUs = failed ? Math.max(1, shareUs) : 0;
            end.setupUs = failed ? end.durationUs : null;
            Outcome.describe(end, result.getThrowable().orElse(null));
            collector.endTest(attempt, end);
            shareUs = 0;
        }
    }

    private List<TestIdentifier> leaves(TestIdentifier top) {
        List<TestIdentifier> leaves = new ArrayList<>();
        if (plan.getChildren(top).isEmpty()) {
            leaves.add(top);
        }
        for (TestIdentifier each : plan.getDescendants(top)) {
            if (plan.getChildren(each).isEmpty()) {
                leaves.add(each);
            }
        }
        return leaves;
    }

    private String testId(Names names, TestIdentifier test) {
        return Names.own(collector.testId(names.testId()), test.getUniqueId());
    }
}
