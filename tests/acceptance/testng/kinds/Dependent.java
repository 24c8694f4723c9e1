package kinds;

import static org.testng.Assert.fail;

import org.testng.annotations.Test;

/** Apart, as TestNG's dependencies take no class with a dollar in its name. */
public class Dependent {
    @Test
    public void fails() {
        fail("first");
    }

    @Test(dependsOnMethods = "fails")
    public void dependsOnIt() {}

    @Test(dependsOnMethods = "fails", alwaysRun = true)
    public void runsAllTheSame() {}
}
