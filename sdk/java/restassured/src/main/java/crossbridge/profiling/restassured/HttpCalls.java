package crossbridge.profiling.restassured;

import crossbridge.profiling.Current;
import crossbridge.profiling.TestObserver;
import io.restassured.RestAssured;

/**
 * Has RestAssured pass every call through {@link CallFilter}: from the moment the collector opens, and again from each
 * test's start where the test before has reset RestAssured. Without RestAssured nothing of it is loaded.
 */
public final class HttpCalls implements TestObserver {
    // One for all: RestAssured leaves out a filter that two joined specifications have in common.
    private static final CallFilter FILTER = new CallFilter();

    public HttpCalls() {
        register();
    }

    @Override
    public void testStarts(Current test) {
        register();
    }

    private static synchronized void register() {
        if (!RestAssured.filters().contains(FILTER)) {
            RestAssured.filters(FILTER);
        }
    }
}
