package crossbridge.profiling.junit;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Event;
import java.util.ArrayList;
import java.util.List;
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
        Names names = new Names(plan, test);
        begun.add(test.getUniqueId());
        Matcher worker = WORKER.matcher(Thread.currentThread().getName());
        Attempt attempt = new Attempt(
            collector.startTest(testId(names, test), "junit", names.className, collector.file(names.className),
                worker.find() ? worker.group() : null),
            WITH_PHASES.contains(Names.segment(test.getUniqueId())));
        Attempt.RUNNING.put(test.getUniqueId(), attempt);
    }

    void skipped(TestIdentifier test, String reason) {
        for (TestIdentifier leaf : leaves(test)) {
            started(leaf);
            Attempt attempt = Attempt.RUNNING.remove(leaf.getUniqueId());
            Event end = attempt.test().event("test_end");
            end.status = "skipped";
            end.errorMessage = reason;
            collector.endTest(attempt.test(), end);
        }
    }

    void finished(TestIdentifier test, TestExecutionResult result) {
        if (test.isTest()) {
            ended(test, Outcome.status(result), result.getThrowable().orElse(null));
        } else if (result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
            containerFailed(test, result);
        }
    }

    private void ended(TestIdentifier test, String status, Throwable error) {
        Attempt attempt = Attempt.RUNNING.remove(test.getUniqueId());
        if (attempt != null) {
            collector.endTest(attempt.test(), attempt.end(status, error));
        }
    }

    /**
     * What it contains and did not come to shares its end, as in JUnit's own report; where all of that has run already,
     * the container is a row of its own.
     */
    private void containerFailed(TestIdentifier container, TestExecutionResult result) {
        List<TestIdentifier> leaves = leaves(container);
        leaves.removeIf(leaf -> begun.contains(leaf.getUniqueId()));
        if (leaves.isEmpty() && result.getStatus() == TestExecutionResult.Status.FAILED) {
            leaves.add(container);
        }
        String status = result.getStatus() == TestExecutionResult.Status.FAILED ? "error" : "skipped";
        for (TestIdentifier leaf : leaves) {
            started(leaf);
            ended(leaf, status, result.getThrowable().orElse(null));
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
