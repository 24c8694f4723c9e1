package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Tests of other kinds. */
class KindsTest {
    @RepeatedTest(2)
    void repeated() {
        assertEquals(0, new Cart().count());
    }

    @TestFactory
    Stream<DynamicTest> made() {
        return Stream.of("tea", "coffee").map(item -> dynamicTest(item, () -> new Cart().add(item)));
    }

    @Nested
    class WhenEmpty {
        @Test
        void countsNothing() {
            assertEquals(0, new Cart().count());
        }
    }
}
