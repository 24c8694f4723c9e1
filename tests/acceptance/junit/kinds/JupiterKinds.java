package kinds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way a Jupiter test can be and end; JUnit's people would have them in files of their own. */
class JupiterKinds {
    static class Bodies {
        @Test
        void passes() {}

        @Test
        void fails() {
            assertEquals(1, 2);
        }

        @Test
        void throwsSomething() {
            throw new IllegalStateException("broken");
        }

        @Test
        @Disabled("closed on Sundays")
        void disabled() {}

        @Test
        void assumesInVain() {
            assumeTrue(false, "no till");
        }

        @Test
        void injected(TestInfo info) {}

        @Test
        void unresolvable(int number) {}

        @RepeatedTest(2)
        void repeated() {}

        @ParameterizedTest
        @ValueSource(ints = {7, 8, 7})
        void parameters(int number) {
            assertEquals(7, number);
        }

        @ParameterizedTest
        @MethodSource("broken")
        void withoutParameters(int number) {}

        static Stream<Integer> broken() {
            throw new IllegalStateException("no parameters");
        }
    }

    static class Dynamic {
        @TestFactory
        List<DynamicNode> made() {
            return List.of(
                dynamicTest("tea", () -> {}),
                dynamicContainer("hot", List.of(dynamicTest("cocoa", () -> fail("cold")))));
        }

        @TestFactory
        List<DynamicNode> notMade() {
            throw new IllegalStateException("nothing to make");
        }
    }

    static class SetUp {
        @BeforeEach
        void setUp() {
            fail("an assertion, but not the test's");
        }

        @Test
        void neverBegins() {}
    }

    static class SetUpAssumes {
        @BeforeEach
        void setUp() {
            assumeTrue(false, "no database");
        }

        @Test
        void skippedInSetUp() {}
    }

    static class Constructor {
        Constructor() {
            throw new IllegalStateException("not made");
        }

        @Test
        void neverBegins() {}
    }

    static class TearDown {
        @AfterEach
        void tearDown() {
            throw new IllegalStateException("left a mess");
        }

        @Test
        void passesAtFirst() {}

        @Test
        void failsBefore() {
            fail("in its body");
        }
    }

    static class SetUpOfClass {
        @BeforeAll
        static void setUp() {
            throw new IllegalStateException("no warehouse");
        }

        @Test
        void neverBegins() {}

        @ParameterizedTest
        @ValueSource(ints = 1)
        void neverExpanded(int number) {}

        @Nested
        class Inner {
            @Test
            void neverBeginsEither() {}
        }
    }

    static class ClassAssumes {
        @BeforeAll
        static void setUp() {
            assumeTrue(false, "no warehouse");
        }

        @Test
        void skippedWithItsClass() {}
    }

    @Disabled("the whole class")
    static class DisabledClass {
        @Test
        void skippedWithItsClass() {}
    }

    static class TearDownOfClass {
        @AfterAll
        static void tearDown() {
            throw new IllegalStateException("left a mess");
        }

        @Test
        void passes() {}
    }

    @ExtendWith(Soft.class)
    static class SoftAssertions {
        @Test
        void failsSoftly() {}
    }

    static class Soft implements AfterTestExecutionCallback {
        @Override
        public void afterTestExecution(org.junit.jupiter.api.extension.ExtensionContext context) {
            fail("gathered in the test's body");
        }
    }

    abstract static class Contract {
        abstract int one();

        @Nested
        class Sums {
            @Test
            void adds() {
                assertEquals(2, one() + 1);
            }

            @Nested
            class Deep {
                @Test
                void passes() {}
            }
        }
    }

    static class Keeps extends Contract {
        @Override
        int one() {
            return 1;
        }
    }

    static class Breaks extends Contract {
        @Override
        int one() {
            return 3;
        }
    }

    static class Outer {
        @BeforeEach
        void setUp() throws InterruptedException {
            Thread.sleep(20);
        }

        @Nested
        class Inner {
            @Test
            void nested() throws InterruptedException {
                Thread.sleep(40);
            }

            @AfterEach
            void tearDown() throws InterruptedException {
                Thread.sleep(10);
            }
        }
    }
}
