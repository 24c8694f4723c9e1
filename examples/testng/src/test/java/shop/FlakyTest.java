package shop;

import static org.testng.Assert.assertTrue;

import org.testng.IRetryAnalyzer;
import org.testng.ITestResult;
import org.testng.annotations.Test;

/** Fails, then passes. */
public class FlakyTest {
    private static int tries;

    /** Gives a test a second try. */
    public static class Again implements IRetryAnalyzer {
        private int retries;

        @Override
        public boolean retry(ITestResult result) {
            return ++retries <= 1;
        }
    }

    @Test(retryAnalyzer = Again.class)
    public void flaky() {
        assertTrue(++tries > 1, "the recommendations have not loaded yet");
    }
}
