package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names as people write them. */
class ParametrisedTest {
    @ParameterizedTest
    @ValueSource(strings = {"tea", "größe 🎉", "1/2 l", "'single' \"double\"", "a:b[0]", "back\\slash"})
    void parametrised(String item) {
        Cart cart = new Cart();
        cart.add(item);
        assertEquals(1, cart.count());
    }
}
