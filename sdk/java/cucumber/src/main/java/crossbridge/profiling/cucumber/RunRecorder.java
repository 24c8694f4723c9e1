package crossbridge.profiling.cucumber;

import crossbridge.profiling.Collector;
import crossbridge.profiling.Current;
import crossbridge.profiling.Workers;
import io.cucumber.plugin.event.Node;
import io.cucumber.plugin.event.Result;
import io.cucumber.plugin.event.Status;
import io.cucumber.plugin.event.TestCase;
import io.cucumber.plugin.event.TestStep;
import java.net.URI;
import java.util.Collection;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Records one run of Cucumber's. Any thread: a scenario stays on the one it began on. */
final class RunRecorder {
    private final Collector collector;
    private final Workers workers = new Workers();
    private final Map<URI, Feature> features = new ConcurrentHashMap<>();
    private final Map<UUID, Scenario> running = new ConcurrentHashMap<>();

    RunRecorder(Collector collector) {
        this.collector = collector;
        collector.runStarts();
    }

    void parsed(URI uri, Collection<Node> nodes) {
        String path = collector.testId(Paths.of(uri));
        nodes.forEach(node -> features.put(uri, new Feature(path, node)));
    }

    void scenarioStarts(TestCase scenario) {
        Feature feature = features.get(scenario.getUri());
        int worker = workers.take();
        Current test = collector.startTest(
            feature.testId(scenario), "cucumber", feature.name, feature.path, Workers.name(worker));
        running.put(scenario.getId(), new Scenario(test, worker));
    }

    void stepStarts(TestCase scenario, TestStep step) {
        Scenario attempt = running.get(scenario.getId());
        if (attempt != null) {
            attempt.stepStarts(step).ifPresent(collector::collect);
        }
    }

    void stepEnds(TestCase scenario, TestStep step, Result result) {
        Scenario attempt = running.get(scenario.getId());
        if (attempt != null) {
            attempt.stepEnds(step, result).ifPresent(collector::collect);
        }
    }

    void scenarioEnds(TestCase scenario, Result result) {
        Scenario attempt = running.remove(scenario.getId());
        if (attempt != null) {
            workers.give(attempt.worker);
            collector.endTest(attempt.test, attempt.end(result));
        }
    }

    /** The run is over; what failed may be no scenario: a {@code BeforeAll} or {@code AfterAll}. */
    void end(Result result) {
        if (result != null && result.getStatus() == Status.FAILED) {
            collector.runFails();
        }
        collector.runEnds();
    }
}
