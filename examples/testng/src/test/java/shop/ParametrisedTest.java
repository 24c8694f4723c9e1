package shop;

import static org.testng.Assert.assertEquals;

import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** Names as people write them. */
public class ParametrisedTest {
    @DataProvider
    public static Object[][] items() {
        return new Object[][] {
            {"tea", 1}, {"größe 🎉", 2}, {"1/2 l", 3}, {"'single' \"double\"", 4}, {"a:b[0]", 5}, {"back\\slash", 6}
        };
    }

    @Test(dataProvider = "items")
    public void parametrised(String item, int number) {
        Cart cart = new Cart();
        cart.add(item, number);
        assertEquals(cart.count(), number);
    }
}
