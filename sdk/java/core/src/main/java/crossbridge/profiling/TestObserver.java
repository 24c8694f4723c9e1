package crossbridge.profiling;

/** A service ({@link java.util.ServiceLoader}) that is told, in the test's thread, of every attempt. */
public interface TestObserver {
    /** The attempt is about to begin. */
    void testStarts(Current test);

    /** The attempt is over and about to be recorded. Calls recorded here are still its own. */
    default void testEnds(Current test) {}
}
