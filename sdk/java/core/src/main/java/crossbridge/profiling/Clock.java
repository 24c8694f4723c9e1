package crossbridge.profiling;

import java.security.SecureRandom;
import java.util.UUID;

/** Wall time that no step of the system's clock moves, and names in order of time. Any thread. */
public final class Clock {
    private static final long ANCHOR_US = System.currentTimeMillis() * 1000 - System.nanoTime() / 1000;
    private static final SecureRandom RANDOM = new SecureRandom();

    private Clock() {}

    /** Microseconds since 1970 UTC: the wall clock read once, plus monotonic time since. */
    public static long nowUs() {
        return ANCHOR_US + System.nanoTime() / 1000;
    }

    /** A UUID of version 7 (RFC 9562). */
    static String newUuid() {
        long high = (nowUs() / 1000) << 16 | 0x7000 | RANDOM.nextInt(1 << 12);
        long low = RANDOM.nextLong() >>> 2 | Long.MIN_VALUE;
        return new UUID(high, low).toString();
    }
}
