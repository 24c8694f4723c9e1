package shop;

import org.testng.annotations.Test;

/** Waits to be killed. By its name it is not among the tests that Maven finds. */
public class Killed {
    @Test
    public void before() {}

    @Test(dependsOnMethods = "before")
    public void killed() throws InterruptedException {
        Thread.sleep(600_000);
    }
}
