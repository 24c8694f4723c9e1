package crossbridge.profiling;

/** A service ({@link java.util.ServiceLoader}) that is told, in the test's thread, that an attempt is about to begin. */
public interface TestObserver {
    void testStarts(Current test);
}
