package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SlowTest {
    @Test
    void slow() throws InterruptedException {
        assertEquals("paid for 0", new Cart().paySlowly());
    }
}
