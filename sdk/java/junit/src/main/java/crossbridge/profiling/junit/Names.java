package crossbridge.profiling.junit;

import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** What a test is called, the same from run to run: {@code spec/identity.md}. */
final class Names {
    private static final Pattern INDEX = Pattern.compile("^\\[[0-9]+\\] ?");
    private static final Pattern PACKAGE = Pattern.compile("^.*[.$](?=[^.$])");
    /** Whose name it is: a test_id, and the unique id that took it first. One for the process: reruns keep theirs. */
    private static final Map<String, String> TAKEN = new ConcurrentHashMap<>();

    /** The class that the test stands in; null where its engine knows none. */
    final String className;
    private final MethodSource method;
    private final TestIdentifier methodNode;
    private final StringJoiner inner = new StringJoiner(" › ");
    private final boolean hasInner;

    Names(TestPlan plan, TestIdentifier test) {
        List<TestIdentifier> path = path(plan, test);
        int owner = owner(path);
        methodNode = owner < 0 ? null : path.get(owner);
        TestSource source = owner < 0 ? null : source(methodNode);
        method = source instanceof MethodSource ? (MethodSource) source : null;
        className = className(path.subList(0, owner + 1));
        boolean found = false;
        for (int i = 0; i < path.size(); i++) {
            TestIdentifier each = path.get(i);
            if (i > owner || (i < owner && segment(each.getUniqueId()).endsWith("invocation"))) {
                inner.add(shown(each));
                found = true;
            }
        }
        hasInner = found;
    }

    /** Returns a name of its own for each unique id: tests that call themselves the same are numbered as they come. */
    static String own(String testId, String uniqueId) {
        String name = testId;
        for (int number = 2; !uniqueId.equals(TAKEN.computeIfAbsent(name, unused -> uniqueId)); number++) {
            name = testId + " [" + number + "]";
        }
        return name;
    }

    /**
     * Returns {@code class#method(parameters)}: of an invocation its arguments as displayed, without its index; of a
     * dynamic test the names of it and of what contains it; of a plain test the types of its parameters.
     */
    String testId() {
        if (method == null) {
            return className == null ? inner.toString() : hasInner ? className + "#" + inner : className;
        }
        String name = className + "#" + method.getMethodName();
        String display = methodNode.getDisplayName();
        if (!hasInner && display.startsWith(method.getMethodName() + "[")) { // JUnit 4's
            return name + display.substring(method.getMethodName().length());
        }
        return name + "(" + (hasInner ? inner : simple(method.getMethodParameterTypes())) + ")";
    }

    /** Returns the kind of the last segment of a unique id: {@code method}, {@code dynamic-test}. */
    static String segment(String uniqueId) {
        int start = uniqueId.lastIndexOf('[') + 1;
        int end = uniqueId.indexOf(':', start);
        return end < 0 ? "" : uniqueId.substring(start, end);
    }

    /** Returns the test and what contains it, outermost first, without the engine. */
    private static List<TestIdentifier> path(TestPlan plan, TestIdentifier test) {
        LinkedList<TestIdentifier> path = new LinkedList<>();
        TestIdentifier each = test;
        while (plan.getParent(each).isPresent()) {
            path.addFirst(each);
            each = plan.getParent(each).get();
        }
        return path;
    }

    /** Returns the place of the outermost method, else of the innermost class, else -1. */
    private static int owner(List<TestIdentifier> path) {
        int owner = -1;
        for (int i = 0; i < path.size(); i++) {
            if (source(path.get(i)) instanceof MethodSource) {
                return i;
            }
            owner = source(path.get(i)) instanceof ClassSource ? i : owner;
        }
        return owner;
    }

    /**
     * Returns the class of the last that has one, else null. A nested class that is inherited runs once for each heir
     * and is named after it, {@code CartTest$Sums}: all would be {@code Contract$Sums} by the class they share.
     */
    private static String className(List<TestIdentifier> path) {
        String name = null;
        String java = null;
        for (TestIdentifier each : path) {
            TestSource source = source(each);
            String own = source instanceof ClassSource ? ((ClassSource) source).getClassName()
                : source instanceof MethodSource ? ((MethodSource) source).getClassName() : java;
            if (own != null && !own.equals(java)) {
                boolean isNested = java != null && segment(each.getUniqueId()).startsWith("nested-class");
                int from = isNested && own.startsWith(java + "$") ? java.length() : own.lastIndexOf('$');
                name = isNested ? name + own.substring(Math.max(0, from)) : own;
                java = own;
            }
        }
        return name;
    }

    private static TestSource source(TestIdentifier test) {
        return test.getSource().orElse(null);
    }

    private static String shown(TestIdentifier test) {
        String display = test.getDisplayName();
        String plain = display.startsWith("[") ? INDEX.matcher(display).replaceFirst("") : display;
        return plain.isEmpty() ? display : plain;
    }

    private static String simple(String types) {
        if (types == null || types.isEmpty()) {
            return "";
        }
        StringJoiner names = new StringJoiner(", ");
        for (String type : types.split(",")) {
            names.add(PACKAGE.matcher(type.strip()).replaceFirst(""));
        }
        return names.toString();
    }
}
