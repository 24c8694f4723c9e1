package crossbridge.profiling;

import java.util.BitSet;

/** Numbers for threads that run tests at the same time; none for the thread that started the run. Any thread. */
public final class Workers {
    private static final int MAIN = 0;
    private final Thread main = Thread.currentThread();
    private final BitSet taken = new BitSet();

    /** Returns the lowest number that no other thread has; to be given back. */
    public synchronized int take() {
        if (Thread.currentThread() == main) {
            return MAIN;
        }
        int worker = taken.nextClearBit(1);
        taken.set(worker);
        return worker;
    }

    public synchronized void give(int worker) {
        taken.clear(worker);
    }

    /** Returns what the worker is called; null for the thread that started the run. */
    public static String name(int worker) {
        return worker == MAIN ? null : "worker-" + worker;
    }
}
