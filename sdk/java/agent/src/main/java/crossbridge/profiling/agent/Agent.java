package crossbridge.profiling.agent;

/**
 * Brings this jar onto the class path of every JVM started with {@code JAVA_TOOL_OPTIONS=-javaagent:...}, build tools
 * included. That is all: the frameworks find the adapters in it as services. No byte code is touched.
 */
public final class Agent {
    private Agent() {}

    public static void premain(String arguments) {
        // The jar is on the class path by now.
    }
}
