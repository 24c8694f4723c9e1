package shop;

import static org.testng.Assert.assertEquals;

import org.testng.annotations.Test;

public class SlowTest {
    @Test
    public void slow() throws InterruptedException {
        assertEquals(new Cart().paySlowly(), "paid for 0");
    }
}
