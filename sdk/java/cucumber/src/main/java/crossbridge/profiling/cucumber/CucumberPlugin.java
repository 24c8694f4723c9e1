package crossbridge.profiling.cucumber;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Current;
import io.cucumber.plugin.ConcurrentEventListener;
import io.cucumber.plugin.event.EventPublisher;
import io.cucumber.plugin.event.Status;
import io.cucumber.plugin.event.TestCaseFinished;
import io.cucumber.plugin.event.TestCaseStarted;
import io.cucumber.plugin.event.TestRunFinished;
import io.cucumber.plugin.event.TestRunStarted;
import io.cucumber.plugin.event.TestSourceParsed;
import io.cucumber.plugin.event.TestStepFinished;
import io.cucumber.plugin.event.TestStepStarted;
import java.util.function.BiConsumer;

/**
 * Records what Cucumber runs: {@code cucumber.plugin=crossbridge.profiling.cucumber.CucumberPlugin}. One object a run;
 * any thread; throws nothing.
 */
public final class CucumberPlugin implements ConcurrentEventListener {
    private RunRecorder recorder;

    @Override
    public void setEventPublisher(EventPublisher publisher) {
        Collector.guarded(() -> {
            if (Current.get() == null && Collector.isOn()) { // no Cucumber that a test runs
                Collector.claim("cucumber");
                listen(publisher);
            }
        });
    }

    private void listen(EventPublisher publisher) {
        handle(publisher, TestRunStarted.class, (run, event) -> {});
        handle(publisher, TestSourceParsed.class, (run, event) -> run.parsed(event.getUri(), event.getNodes()));
        handle(publisher, TestCaseStarted.class, (run, event) -> run.scenarioStarts(event.getTestCase()));
        handle(publisher, TestStepStarted.class,
            (run, event) -> run.stepStarts(event.getTestCase(), event.getTestStep()));
        handle(publisher, TestStepFinished.class,
            (run, event) -> run.stepEnds(event.getTestCase(), event.getTestStep(), event.getResult()));
        handle(publisher, TestCaseFinished.class,
            (run, event) -> run.scenarioEnds(event.getTestCase(), event.getResult()));
        handle(publisher, TestRunFinished.class, (run, event) -> run.end(event.getResult()));
    }

    private <T> void handle(EventPublisher publisher, Class<T> kind, BiConsumer<RunRecorder, T> recording) {
        publisher.registerHandlerFor(kind, event -> Collector.guarded(() -> {
            RunRecorder run = recorder();
            if (run != null) {
                recording.accept(run, event);
            }
        }));
    }

    /** Returns the recorder, from the first event on: a runner that only lists its scenarios sends none. */
    private synchronized RunRecorder recorder() {
        if (recorder == null) {
            Collector collector = Collector.shared("cucumber", version());
            recorder = collector == null ? null : new RunRecorder(collector);
        }
        return recorder;
    }

    private static String version() {
        return Status.class.getPackage().getImplementationVersion();
    }
}
