package kinds;

import static org.testng.Assert.assertEquals;
import static org.testng.Assert.assertTrue;
import static org.testng.Assert.fail;

import java.lang.reflect.Method;
import java.util.concurrent.atomic.AtomicInteger;
import org.testng.IRetryAnalyzer;
import org.testng.ITestContext;
import org.testng.ITestResult;
import org.testng.SkipException;
import org.testng.annotations.AfterClass;
import org.testng.annotations.AfterMethod;
import org.testng.annotations.BeforeClass;
import org.testng.annotations.BeforeMethod;
import org.testng.annotations.DataProvider;
import org.testng.annotations.Factory;
import org.testng.annotations.Test;

/** Every kind of test that TestNG has, and every way to end. */
public class Kinds {
    public static class Bodies {
        @Test
        public void passes() {}

        @Test
        public void fails() {
            assertEquals(1, 2);
        }

        @Test
        public void throwsSomething() {
            throw new IllegalStateException("broken");
        }

        @Test(enabled = false)
        public void disabled() {}

        @Test
        public void skips() {
            throw new SkipException("closed on Sundays");
        }

        @Test(expectedExceptions = IllegalStateException.class)
        public void throwsAsExpected() {
            throw new IllegalStateException("expected");
        }

        @Test(expectedExceptions = IllegalStateException.class)
        public void doesNotThrow() {}

        @Test(timeOut = 100)
        public void takesTooLong() throws InterruptedException {
            Thread.sleep(60_000);
        }

        @Test(timeOut = 60_000)
        public void isInTime() {}

        @Test(invocationCount = 3)
        public void repeated() {}

        private final AtomicInteger tries = new AtomicInteger();

        @Test(invocationCount = 4, successPercentage = 50)
        public void mostlyPasses() {
            assertTrue(tries.incrementAndGet() != 1);
        }
    }

    public static class Data {
        @DataProvider
        public static Object[][] sizes() {
            return new Object[][] {{"größe 🎉", 1}, {"1/2", 2}, {"1/2", 2}, {null, 3}};
        }

        @DataProvider
        public static Object[][] arrays() {
            return new Object[][] {{new int[] {1, 2}}, {new Object()}};
        }

        @DataProvider
        public static Object[][] broken() {
            throw new IllegalStateException("no data");
        }

        @DataProvider(parallel = true)
        public static Object[][] many() {
            return new Object[][] {{1}, {2}, {3}, {4}};
        }

        @Test(dataProvider = "sizes")
        public void sized(String size, int number) {
            assertTrue(number < 3, "too many");
        }

        @Test(dataProvider = "arrays")
        public void shown(Object value) {}

        @Test(dataProvider = "broken")
        public void withoutData(Object value) {}

        @Test(dataProvider = "many")
        public void sideBySide(int number) {}

        @Test(dataProvider = "sizes")
        public void injected(String size, int number, ITestContext context, Method method) {}
    }

    public static class Once implements IRetryAnalyzer {
        private boolean tried;

        @Override
        public boolean retry(ITestResult result) {
            boolean again = !tried;
            tried = true;
            return again;
        }
    }

    public static class Flaky {
        private final AtomicInteger tries = new AtomicInteger();
        private final AtomicInteger dataTries = new AtomicInteger();

        @Test(retryAnalyzer = Once.class)
        public void passesThen() {
            assertTrue(tries.incrementAndGet() > 1, "too early");
        }

        @Test(retryAnalyzer = Once.class)
        public void failsTwice() {
            fail("always");
        }

        @DataProvider
        public static Object[][] two() {
            return new Object[][] {{"a"}, {"b"}};
        }

        @Test(dataProvider = "two", retryAnalyzer = Once.class)
        public void rows(String row) {
            assertTrue(dataTries.incrementAndGet() > 1, "too early");
        }
    }

    public static class SetUp {
        @BeforeMethod
        public void connect(Method method) {
            if (method.getName().startsWith("never")) {
                throw new IllegalStateException("no connection");
            }
        }

        @Test(priority = 1)
        public void isSetUp() {}

        @Test(priority = 2)
        public void neverBegins() {}

        @Test(priority = 3)
        public void skippedAfterIt() {}
    }

    public static class SetUpSkips {
        @BeforeMethod
        public void connect() {
            throw new SkipException("closed on Sundays");
        }

        @Test
        public void skippedInSetUp() {}
    }

    public static class SetUpOfClass {
        @BeforeClass
        public void open() {
            throw new IllegalStateException("no shop");
        }

        @Test
        public void skippedWithItsClass() {}

        @AfterClass(alwaysRun = true)
        public void close() {
            throw new IllegalStateException("no door");
        }
    }

    public static class TearDown {
        @AfterMethod
        public void sweep(Method method) {
            throw new IllegalStateException("no broom");
        }

        @Test
        public void passesAtFirst() {}
    }

    public static class TearDownOfFailed {
        @AfterMethod(alwaysRun = true)
        public void sweep(Method method) {
            throw new IllegalStateException("no broom");
        }

        @Test
        public void failsBefore() {
            fail("before");
        }
    }

    public static class TearDownOfSkipped {
        @AfterMethod(alwaysRun = true)
        public void sweep(Method method) {
            throw new IllegalStateException("no broom");
        }

        @Test
        public void skipsBefore() {
            throw new SkipException("closed on Sundays");
        }
    }

    public static class Phases {
        @BeforeMethod
        public void first() throws InterruptedException {
            Thread.sleep(20);
        }

        @BeforeMethod(dependsOnMethods = "first")
        public void second() throws InterruptedException {
            Thread.sleep(20);
        }

        @Test
        public void slow() throws InterruptedException {
            Thread.sleep(40);
        }

        @AfterMethod
        public void last() throws InterruptedException {
            Thread.sleep(10);
        }

        @AfterMethod
        public void evenLater() throws InterruptedException {
            Thread.sleep(10);
        }
    }

    public static class Made {
        private final String size;

        public Made(String size) {
            this.size = size;
        }

        @Factory
        public static Object[] make() {
            return new Object[] {new Made("small"), new Made("large")};
        }

        @Test
        public void fits() {
            assertEquals(size, "small");
        }
    }

    public static class MadeFromData {
        private final String size;

        @Factory(dataProvider = "sizes")
        public MadeFromData(String size) {
            this.size = size;
        }

        @DataProvider
        public static Object[][] sizes() {
            return new Object[][] {{"small"}, {"large"}};
        }

        @Test
        public void fits() {
            assertEquals(size, "small");
        }
    }

    public abstract static class Base {
        @Test
        public void inherited() {}
    }

    public static class Derived extends Base {}
}
