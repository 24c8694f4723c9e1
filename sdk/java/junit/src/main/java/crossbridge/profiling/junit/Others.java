package crossbridge.profiling.junit;

import crossbridge.profiling.Collector;
import java.lang.annotation.Annotation;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.launcher.TestIdentifier;

/** Tests that another adapter of ours records better, from inside their framework, where it is there. Any thread. */
final class Others {
    private static final String TESTNG_ADAPTER = "crossbridge.profiling.testng.TestNgListener";
    private static final String VINTAGE = "[engine:junit-vintage]/[runner:";
    private static final Map<String, Boolean> CUCUMBER_RUNNERS = new ConcurrentHashMap<>();
    private static final boolean HAS_TESTNG_ADAPTER = isThere(TESTNG_ADAPTER);

    private Others() {}

    /** Whether a test is another's, as of now: Cucumber says so when it begins to run. */
    static boolean own(TestIdentifier test) {
        String id = test.getUniqueId();
        if (id.contains("[engine:testng]")) {
            return HAS_TESTNG_ADAPTER;
        }
        return Collector.isClaimed("cucumber") && (id.contains("[engine:cucumber]") || isOfCucumberRunner(id));
    }

    /** Whether JUnit 4 runs it by a class with {@code @RunWith(Cucumber.class)}. */
    private static boolean isOfCucumberRunner(String id) {
        int start = id.indexOf(VINTAGE);
        if (start < 0) {
            return false;
        }
        int from = start + VINTAGE.length();
        return CUCUMBER_RUNNERS.computeIfAbsent(id.substring(from, id.indexOf(']', from)), Others::hasCucumberRunner);
    }

    private static boolean hasCucumberRunner(String className) {
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            for (Annotation annotation : Class.forName(className, false, loader).getAnnotations()) {
                if (annotation.annotationType().getName().equals("org.junit.runner.RunWith")) {
                    return annotation.toString().contains("io.cucumber.junit.");
                }
            }
            return false;
        } catch (ClassNotFoundException | LinkageError error) {
            return false;
        }
    }

    private static boolean isThere(String className) {
        try {
            Class.forName(className, false, Others.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError error) {
            return false;
        }
    }
}
