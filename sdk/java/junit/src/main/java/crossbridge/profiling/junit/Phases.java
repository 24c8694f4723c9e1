package crossbridge.profiling.junit;

import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tells set-up and tear-down of a Jupiter test from its body. Detected by Jupiter before all other extensions: its body
 * begins before their callbacks around the body and ends after them. Does nothing where no listener records.
 */
public final class Phases implements BeforeTestExecutionCallback, AfterTestExecutionCallback {
    public Phases() {
        Attempt.phased = true;
    }

    @Override
    public void beforeTestExecution(ExtensionContext context) {
        Attempt attempt = Attempt.RUNNING.get(context.getUniqueId());
        if (attempt != null) {
            attempt.bodyStarts();
        }
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        Attempt attempt = Attempt.RUNNING.get(context.getUniqueId());
        if (attempt != null) {
            attempt.bodyEnds(context.getExecutionException().isPresent());
        }
    }
}
