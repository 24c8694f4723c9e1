package crossbridge.profiling.junit;

import crossbridge.profiling.Collector;
import java.util.function.Consumer;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Records what engines on the JUnit Platform run: JUnit 5 and 6, JUnit 4 by Vintage, and others. A service of the
 * launcher's; any thread; throws nothing.
 */
public final class PlatformListener implements TestExecutionListener {
    /** Null while no plan is executed. */
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
        recorder = new PlanRecorder(plan);
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
        record(test, recorder -> recorder.registered(test));
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        record(test, recorder -> recorder.started(test));
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        record(test, recorder -> recorder.skipped(test, reason));
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        record(test, recorder -> recorder.finished(test, result));
    }

    private void record(TestIdentifier test, Consumer<PlanRecorder> recording) {
        PlanRecorder found = recorder;
        if (found != null) {
            Collector.guarded(() -> {
                if (!Others.own(test)) {
                    recording.accept(found);
                }
            });
        }
    }
}
