package crossbridge.profiling.testng;

import org.testng.ITestResult;
import org.testng.SkipException;

/** TestNG's results in the words of {@code spec/README.md}. */
final class Outcome {
    private Outcome() {}

    /** Returns the status of a body that ended as {@code status}: what is tried again counts as skipped with TestNG. */
    static String status(ITestResult result, String status) {
        Throwable thrown = result.getThrowable();
        boolean skips = thrown instanceof SkipException && ((SkipException) thrown).isSkip();
        return status.equals("skipped") && result.wasRetried() && !skips ? "failed" : status;
    }
}
