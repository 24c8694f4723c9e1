package crossbridge.profiling.selenium;

import crossbridge.profiling.Current;
import crossbridge.profiling.TestObserver;

/** Has drivers speak through {@link RecordingClientFactory} from the moment the collector opens. */
public final class DriverCommands implements TestObserver {
    public DriverCommands() {
        RecordingClientFactory.install();
    }

    @Override
    public void testStarts(Current test) {}

    @Override
    public void testEnds(Current test) {
        Poll.endAllOf(test);
    }
}
