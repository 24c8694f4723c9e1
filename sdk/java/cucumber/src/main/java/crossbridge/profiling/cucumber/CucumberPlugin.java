package crossbridge.profiling.cucumber;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Current;
import io.cucumber.plugin.ConcurrentEventListener;
import io.cucumber.plugin.event.EventPublisher;
import io.cucumber.plugin.event.Status;
import io.cucumber.plugin.event.TestCaseFinished;
import io.cucumber.plugin.event.TestCaseStarted;
import io.cucumber.plugin.event.TestRunFinished;
import io.cucumber.plugin.event.TestSourceParsed;
import io.cucumber.plugin.event.TestStepFinished;
import io.cucumber.plugin.event.TestStepStarted;

/**
 * Records what Cucumber runs: {@code cucumber.plugin=crossbridge.profiling.cucumber.CucumberPlugin}. One object a run;
 * any thread; throws nothing.
 */
public final class CucumberPlugin implements ConcurrentEventListener {
    @Override
    public void setEventPublisher(EventPublisher publisher) {
        Collector.guarded(() -> {
            Collector collector = Current.get() == null ? Collector.shared("cucumber", version()) : null;
            if (collector != null) {
                Collector.claim("cucumber");
                listen(publisher, new RunRecorder(collector));
            }
        });
    }

    private static void listen(EventPublisher publisher, RunRecorder run) {
        publisher.registerHandlerFor(TestSourceParsed.class,
            event -> Collector.guarded(() -> run.parsed(event.getUri(), event.getNodes())));
        publisher.registerHandlerFor(TestCaseStarted.class,
            event -> Collector.guarded(() -> run.scenarioStarts(event.getTestCase())));
        publisher.registerHandlerFor(TestStepStarted.class,
            event -> Collector.guarded(() -> run.stepStarts(event.getTestCase(), event.getTestStep())));
        publisher.registerHandlerFor(TestStepFinished.class,
            event -> Collector.guarded(() -> run.stepEnds(event.getTestCase(), event.getTestStep(), event.getResult())));
        publisher.registerHandlerFor(TestCaseFinished.class,
            event -> Collector.guarded(() -> run.scenarioEnds(event.getTestCase(), event.getResult())));
        publisher.registerHandlerFor(TestRunFinished.class,
            event -> Collector.guarded(() -> run.end(event.getResult() != null && event.getResult().getStatus() == Status.FAILED)));
    }

    private static String version() {
        return Status.class.getPackage().getImplementationVersion();
    }
}
