package kinds;

import org.testng.TestNG;

/** A JVM in which TestNG is run twice, as a build tool may. */
public final class Twice {
    public static void main(String[] arguments) {
        TestNG.privateMain(arguments, null);
        TestNG.privateMain(arguments, null);
    }
}
