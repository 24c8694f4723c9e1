package shop;

import static org.testng.Assert.assertEquals;
import static org.testng.Assert.fail;

import org.testng.SkipException;
import org.testng.annotations.Test;

/** How a test can end. */
public class OutcomesTest {
    @Test
    public void passes() {
        Cart cart = new Cart();
        cart.add("tea");
        assertEquals(cart.count(), 1);
    }

    @Test
    public void fails() {
        Cart cart = new Cart();
        cart.add("tea");
        assertEquals(cart.count(), 2);
    }

    @Test
    public void skipped() {
        throw new SkipException("the till is closed on Sundays");
    }

    @Test
    public void opens() {
        fail("the key is lost");
    }

    @Test(dependsOnMethods = "opens")
    public void skippedByDependency() {}
}
