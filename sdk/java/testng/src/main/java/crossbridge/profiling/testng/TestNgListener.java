package crossbridge.profiling.testng;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Current;
import java.util.function.Consumer;
import org.testng.IConfigurationListener;
import org.testng.IExecutionListener;
import org.testng.ISuite;
import org.testng.ISuiteListener;
import org.testng.ITestContext;
import org.testng.ITestListener;
import org.testng.ITestResult;

/** Records what TestNG runs. A service of TestNG's, one object a run; any thread; throws nothing. */
public final class TestNgListener
        implements IExecutionListener, ISuiteListener, ITestListener, IConfigurationListener {
    /** Set by a run that calls no test and says of all that they passed: by the user, and by testng-engine to discover. */
    private static final String DRY_RUN = "testng.mode.dryrun";

    private boolean begun;
    /** Null where nothing is recorded: profiling is off, the run is a dry one, or a test runs TestNG. */
    private volatile RunRecorder recorder;

    @Override
    public void onExecutionFinish() {
        record(RunRecorder::end);
    }

    @Override
    public void onStart(ISuite suite) {
        Collector.guarded(() -> begin(suite));
        record(run -> run.suiteStarts(suite));
    }

    private synchronized void begin(ISuite suite) {
        if (!begun && Current.get() == null && !Boolean.getBoolean(DRY_RUN)) {
            boolean cucumbers = Scenarios.areAll(suite.getAllMethods());
            Collector collector = cucumbers
                ? Collector.shared("cucumber", Scenarios.version())
                : Collector.shared("testng", ITestResult.class.getPackage().getImplementationVersion());
            recorder = collector == null ? null : new RunRecorder(collector);
        }
        begun = true;
    }

    @Override
    public void onFinish(ISuite suite) {}

    @Override
    public void onStart(ITestContext context) {
        record(run -> run.contextStarts(context));
    }

    @Override
    public void onFinish(ITestContext context) {
        record(run -> run.contextEnds(context));
    }

    @Override
    public void beforeConfiguration(ITestResult configuration) {
        recordUnlessOthers(configuration, run -> run.configurationStarts(configuration));
    }

    @Override
    public void onConfigurationSuccess(ITestResult configuration) {
        recordUnlessOthers(configuration, run -> run.configurationEnds(configuration, false));
    }

    @Override
    public void onConfigurationFailure(ITestResult configuration) {
        recordUnlessOthers(configuration, run -> run.configurationFails(configuration));
    }

    @Override
    public void onConfigurationSkip(ITestResult configuration) {
        recordUnlessOthers(configuration, run -> run.configurationEnds(configuration, false));
    }

    @Override
    public void onTestStart(ITestResult result) {
        recordUnlessOthers(result, run -> run.testStarts(result));
    }

    @Override
    public void onTestSuccess(ITestResult result) {
        recordUnlessOthers(result, run -> run.testEnds(result, "passed"));
    }

    @Override
    public void onTestFailure(ITestResult result) {
        recordUnlessOthers(result, run -> run.testEnds(result, "failed"));
    }

    @Override
    public void onTestFailedButWithinSuccessPercentage(ITestResult result) {
        recordUnlessOthers(result, run -> run.testEnds(result, "xfailed"));
    }

    @Override
    public void onTestSkipped(ITestResult result) {
        recordUnlessOthers(result, run -> run.testEnds(result, "skipped"));
    }

    private void record(Consumer<RunRecorder> recording) {
        RunRecorder run = recorder;
        if (run != null) {
            Collector.guarded(() -> recording.accept(run));
        }
    }

    private void recordUnlessOthers(ITestResult result, Consumer<RunRecorder> recording) {
        record(run -> {
            if (!Scenarios.isOthers(result.getMethod())) {
                recording.accept(run);
            }
        });
    }
}
