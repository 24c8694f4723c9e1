package kinds;

import static org.junit.Assert.assertEquals;
import static org.junit.Assume.assumeTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.BeforeClass;
import org.junit.Ignore;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

/** JUnit 4, run by the Vintage engine. */
public class VintageKinds {
    public static class Old {
        @Test
        public void passes() {}

        @Test
        public void fails() {
            assertEquals(1, 2);
        }

        @Test
        @Ignore("closed on Sundays")
        public void ignored() {}

        @Test
        public void assumesInVain() {
            assumeTrue(false);
        }
    }

    @RunWith(Parameterized.class)
    public static class Numbers {
        private final int number;

        public Numbers(int number) {
            this.number = number;
        }

        @Parameterized.Parameters
        public static List<Object[]> numbers() {
            return Arrays.asList(new Object[][] {{7}, {8}});
        }

        @Test
        public void isSeven() {
            assertEquals(7, number);
        }
    }

    public static class SetUpOfClass {
        @BeforeClass
        public static void setUp() {
            throw new IllegalStateException("no warehouse");
        }

        @Test
        public void neverBegins() {}
    }
}
