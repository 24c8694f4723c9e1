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
    /** Containers of whole frameworks, in which another adapter may have the word. */
    private static final Set<String> AROUND = Set.of("engine", "suite");

    private final TestPlan plan;
    /** Unique ids of tests that began or were skipped: what a container that fails did not come to. */
    private final Set<String> begun = ConcurrentHashMap.newKeySet();
    private final Map<String, Long> containerStartNs = new ConcurrentHashMap<>();
    private Collector collector;
    private boolean asked;

    PlanRecorder(TestPlan plan) {
        this.plan = plan;
    }

    /** Returns the collector, opened for the first class or test of ours; null where profiling is off. */
    private synchronized Collector collector() {
        if (!asked) {
            asked = true;
            collector = Collector.shared("junit", version());
            if (collector != null) {
                collector.runStarts();
            }
        }
        return collector;
    }

    synchronized void end() {
        if (collector != null) {
            collector.runEnds();
        }
        asked = true;
        collector = null;
    }

    /** An invocation or a dynamic test is known: it takes its name now, as later it may run beside its like. */
    void registered(TestIdentifier test) {
        Collector collector = test.isTest() ? collector() : null;
        if (collector != null) {
            testId(collector, new Names(plan, test), test);
        }
    }

    void started(TestIdentifier test) {
        // From the first class on, not its first test: what @BeforeAll opens, a browser, is recorded too.
        Collector collector = AROUND.contains(Names.segment(test.getUniqueId())) ? null : collector();
        if (!test.isTest()) {
            containerStartNs.put(test.getUniqueId(), System.nanoTime());
        } else if (collector != null) {
            Attempt.RUNNING.put(test.getUniqueId(), begin(collector, test));
        }
    }

    void skipped(TestIdentifier test, String reason) {
        Collector collector = collector();
        for (TestIdentifier leaf : collector == null ? List.<TestIdentifier>of() : leaves(test)) {
            Current attempt = begin(collector, leaf).test();
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
            collector().endTest(attempt.test(), attempt.end(Outcome.status(result), result.getThrowable().orElse(null)));
        } else if (startNs != null && result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
            containerFailed(test, result, (System.nanoTime() - startNs) / 1000);
        }
    }

    private Attempt begin(Collector collector, TestIdentifier test) {
        Names names = new Names(plan, test);
        begun.add(test.getUniqueId());
        Matcher worker = WORKER.matcher(Thread.currentThread().getName());
        return new Attempt(
            collector.startTest(testId(collector, names, test), "junit", names.className, collector.file(names.className),
                worker.find() ? worker.group() : null),
            WITH_PHASES.contains(Names.segment(test.getUniqueId())));
    }

    /**
     * What the container did not come to shares its end, as in JUnit's own report, and the first of it has its time;
     * where all has run already, the container is a row of its own.
     */
    private void containerFailed(TestIdentifier container, TestExecutionResult result, long durationUs) {
        Collector collector = collector();
        if (collector == null) {
            return;
        }
        boolean failed = result.getStatus() == TestExecutionResult.Status.FAILED;
        List<TestIdentifier> leaves = leaves(container);
        leaves.removeIf(leaf -> begun.contains(leaf.getUniqueId()));
        if (leaves.isEmpty() && failed) {
            leaves.add(container);
        }
        long shareUs = durationUs;
        for (TestIdentifier leaf : leaves) {
            Current attempt = begin(collector, leaf).test();
            Event end = attempt.event("test_end");
            end.status = failed ? "error" : "skipped";
            end.durationUs = failed ? Math.max(1, shareUs) : 0;
            end.setupUs = failed ? end.durationUs : null;
            end.threw(result.getThrowable().orElse(null));
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

    private static String testId(Collector collector, Names names, TestIdentifier test) {
        return Names.own(collector.testId(names.testId()), test.getUniqueId());
    }

    private static String version() {
        try {
            return Class.forName("org.junit.jupiter.api.Test").getPackage().getImplementationVersion();
        } catch (ClassNotFoundException | LinkageError error) {
            return TestPlan.class.getPackage().getImplementationVersion();
        }
    }
}
