package crossbridge.profiling.testng;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import org.testng.ITestContext;
import org.testng.ITestNGMethod;
import org.testng.ITestResult;
import org.testng.xml.XmlTest;

/** What a test is called, the same from run to run: {@code spec/identity.md}. Any thread. */
final class Names {
    /** How often a name was given. One for the process: its runs are one run of ours. */
    private static final Map<String, Integer> GIVEN = new ConcurrentHashMap<>();

    /** The names of the {@code <test>}s that a class is in. */
    private final Map<String, Set<String>> testsOfClass = new ConcurrentHashMap<>();
    /** The objects of each class, as a factory makes them, numbered from 1. */
    private final Map<Object, Integer> numbers = Collections.synchronizedMap(new IdentityHashMap<>());
    private final Map<String, Integer> objectsOfClass = new ConcurrentHashMap<>();

    void suiteStarts(Collection<ITestNGMethod> methods) {
        for (ITestNGMethod method : methods) {
            testsOfClass.computeIfAbsent(className(method), unused -> ConcurrentHashMap.newKeySet())
                .add(String.valueOf(method.getXmlTest().getName()));
        }
    }

    @SuppressWarnings("deprecation") // the only one there is in every TestNG 7
    void contextStarts(ITestNGMethod[] methods) {
        for (ITestNGMethod method : methods) {
            Object[] made = method.getTestClass().getInstances(false);
            objectsOfClass.put(className(method), made.length);
            for (int i = 0; i < made.length; i++) {
                numbers.put(unwrapped(made[i]), i + 1);
            }
        }
    }

    /**
     * Returns {@code class#method[parameters]}, and where that is not enough, in round brackets, what the factory made
     * the object from, or its number, and the name of its {@code <test>}.
     */
    String raw(ITestResult result) {
        String className = result.getTestClass().getName();
        String name = className + "#" + result.getMethod().getMethodName() + parameters(result);
        StringJoiner more = new StringJoiner(", ", " (", ")").setEmptyValue("");
        if (objectsOfClass.getOrDefault(className, 1) > 1) {
            Object[] made = result.getFactoryParameters();
            boolean known = made != null && made.length > 0;
            more.add(known ? joined(made) : String.valueOf(numbers.get(result.getInstance())));
        }
        if (testsOfClass.getOrDefault(className, Set.of()).size() > 1) {
            more.add(result.getTestContext().getName());
        }
        return name + more;
    }

    /** Returns the name, with a number behind it where it was given before. */
    String own(String testId) {
        int number = GIVEN.merge(testId, 1, Integer::sum);
        return number == 1 ? testId : testId + " [" + number + "]";
    }

    /** Returns the object that a factory made; its wrapper lies in another package in each line of TestNG 7. */
    private static Object unwrapped(Object made) {
        try {
            for (Class<?> each : made.getClass().getInterfaces()) {
                if (each.getSimpleName().equals("IParameterInfo")) {
                    return each.getMethod("getInstance").invoke(made);
                }
            }
        } catch (ReflectiveOperationException | RuntimeException error) {
            return made;
        }
        return made;
    }

    private static String className(ITestNGMethod method) {
        return method.getTestClass().getName();
    }

    private static String parameters(ITestResult result) {
        Object[] all = result.getParameters();
        Object[] given = all == null ? new Object[0] : Arrays.stream(all).filter(Names::isGiven).toArray();
        return given.length == 0 ? "" : "[" + joined(given) + "]";
    }

    /** Whether it is no parameter that TestNG puts in by itself. */
    private static boolean isGiven(Object parameter) {
        return !(parameter instanceof ITestContext || parameter instanceof XmlTest || parameter instanceof Method
            || parameter instanceof ITestResult);
    }

    private static String joined(Object[] values) {
        StringJoiner joined = new StringJoiner(", ");
        for (Object value : values) {
            joined.add(shown(value));
        }
        return joined.toString();
    }

    private static String shown(Object value) {
        try {
            String shown = Arrays.deepToString(new Object[] {value});
            return shown.substring(1, shown.length() - 1);
        } catch (RuntimeException | LinkageError broken) {
            return value.getClass().getName(); // a toString of the user's
        }
    }
}
