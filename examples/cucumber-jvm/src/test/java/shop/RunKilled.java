package shop;

import io.cucumber.testng.AbstractTestNGCucumberTests;
import io.cucumber.testng.CucumberOptions;

/** Waits to be killed. By its name it is not among the tests that Maven finds. */
@CucumberOptions(features = "classpath:killed", glue = "shop")
public class RunKilled extends AbstractTestNGCucumberTests {}
