package crossbridge.profiling.junit;

import crossbridge.profiling.Event;
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

    /** Says what was thrown; of a skipped test only why. */
    static void describe(Event end, Throwable error) {
        if (error == null) {
            return;
        }
        end.errorMessage = message(error);
        if (!end.status.equals("skipped")) {
            String name = error.getClass().getSimpleName();
            end.errorType = name.isEmpty() ? error.getClass().getName() : name;
        }
    }

    private static String message(Throwable error) {
        try {
            return error.getMessage();
        } catch (RuntimeException | LinkageError broken) {
            return null; // a getMessage of the user's
        }
    }
}
