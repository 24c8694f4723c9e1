package shop;

import io.cucumber.testng.AbstractTestNGCucumberTests;
import io.cucumber.testng.CucumberOptions;
import io.cucumber.testng.FeatureWrapper;
import io.cucumber.testng.PickleWrapper;
import org.testng.IRetryAnalyzer;
import org.testng.ITestResult;
import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** Runs the features beside it; the flaky scenario gets a second try. */
@CucumberOptions(features = "classpath:shop", glue = "shop")
public class ShopTest extends AbstractTestNGCucumberTests {
    /** Gives a scenario a second try. */
    public static class Again implements IRetryAnalyzer {
        private boolean retried;

        @Override
        public boolean retry(ITestResult result) {
            boolean isFlaky = result.getParameters()[0].toString().equals("\"Flaky\"");
            boolean again = isFlaky && !retried;
            retried = again;
            return again;
        }
    }

    @Override
    @Test(groups = "cucumber", dataProvider = "scenarios", retryAnalyzer = Again.class)
    public void runScenario(PickleWrapper scenario, FeatureWrapper feature) {
        super.runScenario(scenario, feature);
    }

    @Override
    @DataProvider(parallel = true)
    public Object[][] scenarios() {
        return super.scenarios();
    }
}
