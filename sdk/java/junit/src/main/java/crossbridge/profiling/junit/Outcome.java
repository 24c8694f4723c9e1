package crossbridge.profiling.junit;

import org.junit.platform.engine.TestExecutionResult;

/** The platform's results in the words of {@code spec/README.md}. */
final class Outcome {
    private Outcome() {}

    /** Returns the status of a test; an assumption that does not hold skips it. */
    static String status(TestExecutionResult result) {
        switch (result.getStatus()) {
            case SUCCESSFUL:
                return "passed";
            case ABORTED:
                return "skipped";
            default:
                return "failed";
        }
    }
}
