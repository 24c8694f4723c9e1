package crossbridge.profiling.selenium;

import crossbridge.profiling.Collector;
import java.util.Objects;

/** A command that was carried out, or was {@code retryCount} times until now. Microseconds of our own clock. */
final class Command {
    // How many this thread has recorded: who wraps a driver sees that it is recorded already.
    private static final ThreadLocal<Long> COUNT = ThreadLocal.withInitial(() -> 0L);

    final String name;
    final String target;
    final long startUs;
    final long endUs;
    final String error;
    final long retryCount;

    Command(String name, String target, long startUs, long endUs, String error, long retryCount) {
        this.name = Objects.requireNonNull(name, "name");
        this.target = target;
        this.startUs = startUs;
        this.endUs = endUs;
        this.error = error;
        this.retryCount = retryCount;
    }

    /** Returns this command as the latest of those that began with another. */
    Command after(Command first) {
        return new Command(name, target, first.startUs, endUs, error, first.retryCount + 1);
    }

    /** Records it now, or with those of its wait; what is not the same command has another {@code detail}. */
    void add(String detail) {
        COUNT.set(count() + 1);
        Poll.add(this, detail);
    }

    void record() {
        Collector collector = Collector.opened();
        if (collector != null) {
            collector.driverCommand(name, target, endUs, endUs - startUs, retryCount, error);
        }
    }

    static long count() {
        return COUNT.get();
    }
}
