package crossbridge.profiling.cucumber;

import crossbridge.profiling.Current;
import crossbridge.profiling.Event;
import io.cucumber.plugin.event.HookTestStep;
import io.cucumber.plugin.event.PickleStepTestStep;
import io.cucumber.plugin.event.Result;
import io.cucumber.plugin.event.Status;
import io.cucumber.plugin.event.TestStep;
import java.util.Optional;

/** One attempt of a scenario, with its steps and hooks. One thread at a time. */
final class Scenario {
    final Current test;
    final int worker;
    private Event step;
    private long stepNs;
    private long firstNs;
    private long lastNs;
    private boolean stepFailed;
    private TestStep broken;

    Scenario(Current test, int worker) {
        this.test = test;
        this.worker = worker;
    }

    /** Returns what is to be recorded now: nothing of a step after one that broke, which will not run. */
    Optional<Event> stepStarts(TestStep step) {
        stepNs = System.nanoTime();
        if (firstNs == 0 && broken == null && step instanceof PickleStepTestStep) {
            firstNs = stepNs;
        }
        this.step = test.event("step_end");
        this.step.stepName = Steps.name(step);
        this.step.eventType = step instanceof HookTestStep ? "hook" : null;
        if (broken != null && step instanceof PickleStepTestStep) {
            return Optional.empty();
        }
        Event start = test.event("step_start");
        start.stepName = this.step.stepName;
        return Optional.of(start);
    }

    /** Returns what is to be recorded of a step: nothing of one that did not run. */
    Optional<Event> stepEnds(TestStep step, Result result) {
        long nowNs = System.nanoTime();
        Status status = result.getStatus();
        boolean ran = status != Status.SKIPPED || result.getError() != null;
        if (ran && step instanceof PickleStepTestStep) {
            lastNs = nowNs;
        }
        if (status != Status.PASSED && status != Status.SKIPPED && broken == null) {
            broken = step;
            stepFailed = status == Status.FAILED && step instanceof PickleStepTestStep;
        }
        if (!ran) {
            return Optional.empty();
        }
        Event end = this.step;
        end.stepIndex = test.nextStep();
        end.durationUs = Math.max(1, (nowNs - stepNs) / 1000);
        end.atUs = test.startUs + (nowNs - test.startNs) / 1000;
        end.status = status == Status.PASSED ? "passed" : status == Status.SKIPPED ? "skipped" : "failed";
        return Optional.of(end);
    }

    Event end(Result result) {
        Event end = test.event("test_end");
        long nowNs = System.nanoTime();
        end.durationUs = Math.max(1, (nowNs - test.startNs) / 1000);
        end.atUs = test.startUs + end.durationUs;
        end.setupUs = ((firstNs == 0 ? nowNs : firstNs) - test.startNs) / 1000;
        end.teardownUs = lastNs == 0 ? null : Long.valueOf((nowNs - lastNs) / 1000);
        end.status = status(result.getStatus());
        if (result.getStatus() != Status.PASSED) {
            end.threw(result.getError());
        }
        if (end.errorType == null && end.status.equals("error")) {
            String word = result.getStatus().name();
            end.errorType = word.charAt(0) + word.substring(1).toLowerCase() + "Step";
            end.errorMessage = broken == null ? null : word.toLowerCase() + " step: " + Steps.name(broken);
        }
        return end;
    }

    /** What failed is a step, or else a hook; steps that are undefined, pending or ambiguous are not there. */
    private String status(Status status) {
        switch (status) {
            case PASSED:
                return "passed";
            case SKIPPED:
                return "skipped";
            case FAILED:
                return stepFailed ? "failed" : "error";
            default:
                return "error";
        }
    }
}
