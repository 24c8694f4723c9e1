package crossbridge.profiling.junit;

import crossbridge.profiling.Collector;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Records what engines on the JUnit Platform run: JUnit 5 and 6, JUnit 4 by Vintage, and others. A service of the
 * launcher's; any thread; throws nothing.
 */
public final class PlatformListener implements TestExecutionListener {
    /** Engines whose tests another adapter records better, where it is there. */
    private static final Map<String, String> OTHERS = Map.of(
        "[engine:cucumber]", "crossbridge.profiling.cucumber.CucumberPlugin",
        "[engine:testng]", "crossbridge.profiling.testng.TestNgListener");

    /** Null while no plan of ours is executed. */
    private volatile PlanRecorder recorder;

    public PlatformListener() {
        Collector.guarded(() -> {
            if (Collector.isOn()) {
                Autodetection.on();
            }
        });
    }

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        Collector.guarded(() -> {
            if (plan.getRoots().stream().anyMatch(root -> !isOthers(root) && !plan.getChildren(root).isEmpty())) {
                Collector collector = Collector.shared("junit", version());
                recorder = collector == null ? null : new PlanRecorder(plan, collector);
            }
        });
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        PlanRecorder ending = recorder;
        recorder = null;
        if (ending != null) {
            Collector.guarded(ending::end);
        }
    }

    @Override
    public void dynamicTestRegistered(TestIdentifier test) {
        PlanRecorder recorder = recorderOf(test);
        if (recorder != null) {
            Collector.guarded(() -> recorder.registered(test));
        }
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        PlanRecorder recorder = recorderOf(test);
        if (recorder != null) {
            Collector.guarded(() -> recorder.started(test));
        }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        PlanRecorder recorder = recorderOf(test);
        if (recorder != null) {
            Collector.guarded(() -> recorder.skipped(test, reason));
        }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        PlanRecorder recorder = recorderOf(test);
        if (recorder != null) {
            Collector.guarded(() -> recorder.finished(test, result));
        }
    }

    private PlanRecorder recorderOf(TestIdentifier test) {
        PlanRecorder found = recorder;
        return found == null || isOthers(test) ? null : found;
    }

    private static boolean isOthers(TestIdentifier test) {
        String id = test.getUniqueId();
        for (Map.Entry<String, String> other : OTHERS.entrySet()) {
            if (id.contains(other.getKey())) {
                return isThere(other.getValue());
            }
        }
        return false;
    }

    private static boolean isThere(String className) {
        try {
            Class.forName(className, false, PlatformListener.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError error) {
            return false;
        }
    }

    private static String version() {
        try {
            return Class.forName("org.junit.jupiter.api.Test").getPackage().getImplementationVersion();
        } catch (ClassNotFoundException | LinkageError error) {
            return TestPlan.class.getPackage().getImplementationVersion();
        }
    }
}
