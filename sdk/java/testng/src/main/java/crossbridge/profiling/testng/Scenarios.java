package crossbridge.profiling.testng;

import crossbridge.profiling.Collector;
import java.util.Collection;
import org.testng.ITestNGMethod;

/** Scenarios that Cucumber has TestNG run: recorded by Cucumber's own plugin, where it is registered. */
final class Scenarios {
    private static final String RUNNER = "io.cucumber.testng.AbstractTestNGCucumberTests";
    private static final String PLUGIN = "crossbridge.profiling.cucumber.CucumberPlugin";

    private Scenarios() {}

    /** Returns whether Cucumber's plugin records what this method is about. */
    static boolean isOthers(ITestNGMethod method) {
        return Collector.isClaimed("cucumber") && isCucumbers(method);
    }

    /** Returns whether there is nothing else to run, so that the run is Cucumber's. */
    static boolean areAll(Collection<ITestNGMethod> methods) {
        return found(PLUGIN) != null && !methods.isEmpty() && methods.stream().allMatch(Scenarios::isCucumbers);
    }

    static String version() {
        Class<?> event = found("io.cucumber.plugin.event.Event");
        return event == null ? null : event.getPackage().getImplementationVersion();
    }

    private static boolean isCucumbers(ITestNGMethod method) {
        for (Class<?> each = method.getRealClass(); each != null; each = each.getSuperclass()) {
            if (each.getName().equals(RUNNER)) {
                return true;
            }
        }
        return false;
    }

    private static Class<?> found(String name) {
        try {
            return Class.forName(name, false, Scenarios.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError error) {
            return null;
        }
    }
}
