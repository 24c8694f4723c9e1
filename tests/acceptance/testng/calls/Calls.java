package calls;

import static org.testng.Assert.assertTrue;

import crossbridge.profiling.Collector;
import org.testng.IRetryAnalyzer;
import org.testng.ITestResult;
import org.testng.annotations.AfterMethod;
import org.testng.annotations.BeforeClass;
import org.testng.annotations.BeforeMethod;
import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** Calls an API around its tests, as the adapters of libraries record it. */
public class Calls {
    private int tries;

    public static class Once implements IRetryAnalyzer {
        private boolean tried;

        @Override
        public boolean retry(ITestResult result) {
            boolean again = !tried;
            tried = true;
            return again;
        }
    }

    @DataProvider
    public static Object[][] users() {
        return new Object[][] {{"ann"}, {"bob"}};
    }

    @BeforeClass
    public void open() {
        call("/open");
    }

    @BeforeMethod
    public void logIn() {
        call("/login");
    }

    @Test(dataProvider = "users", retryAnalyzer = Once.class)
    public void orders(String user) {
        call("/orders");
        assertTrue(++tries > 1, "too early");
    }

    @AfterMethod
    public void logOut() {
        call("/logout");
    }

    private static void call(String path) {
        Collector.opened().httpCall("GET", "http://shop" + path, 200, 5, null);
    }
}
