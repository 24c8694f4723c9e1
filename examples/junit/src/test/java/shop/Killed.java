package shop;

import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Waits to be killed. By its name it is not among the tests that Maven finds. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class Killed {
    @Test
    @Order(1)
    void before() {}

    @Test
    @Order(2)
    void killed() throws InterruptedException {
        Thread.sleep(600_000);
    }
}
