package crossbridge.profiling.selenium;

import crossbridge.profiling.Current;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The commands of one {@code FluentWait.until}: what is asked repeatedly of the same target is one command, from the
 * first to the last. A wait inside a wait is a part of it.
 *
 * <p>Nobody tells of a wait's end: it is recorded at the thread's next command that is not of this wait, and at the end
 * of its test. It is told by the calls on the stack that led to it, so the same wait in a loop is one.
 */
final class Poll {
    private static final String WAIT = "org.openqa.selenium.support.ui.FluentWait";
    private static final ThreadLocal<Poll> OF_THREAD = new ThreadLocal<>();
    private static final Set<Poll> OPEN = ConcurrentHashMap.newKeySet();

    private final int wait;
    private final Current test = Current.get();
    private final Map<List<String>, Command> commands = new LinkedHashMap<>();

    private Poll(int wait) {
        this.wait = wait;
    }

    static void add(Command command, String detail) {
        int wait = StackWalker.getInstance().walk(frames -> waitOf(frames.iterator()));
        Poll poll = OF_THREAD.get();
        if (poll != null && (poll.wait != wait || poll.test != Current.get())) {
            poll.end();
            poll = null;
        }
        if (wait == 0) {
            OF_THREAD.remove();
            command.record();
            return;
        }
        if (poll == null) {
            poll = new Poll(wait);
            OPEN.add(poll);
            OF_THREAD.set(poll);
        }
        poll.join(command, detail);
    }

    static void endAllOf(Current test) {
        for (Poll poll : OPEN) {
            if (poll.test == test) {
                poll.end();
            }
        }
    }

    private synchronized void join(Command command, String detail) {
        List<String> key = Arrays.asList(command.name, command.target, detail);
        commands.merge(key, command, (first, next) -> next.after(first));
    }

    private synchronized void end() {
        OPEN.remove(this);
        List<Command> all = new ArrayList<>(commands.values());
        commands.clear();
        all.sort(Comparator.comparingLong(command -> command.endUs));
        all.forEach(Command::record);
    }

    /** Returns a number for the outermost wait on the stack and the way to it; 0 outside of all waits. */
    private static int waitOf(Iterator<StackWalker.StackFrame> frames) {
        boolean waits = false;
        int way = 0;
        while (frames.hasNext()) {
            StackWalker.StackFrame frame = frames.next();
            if (frame.getClassName().equals(WAIT)) {
                waits = true;
                way = 1;
            } else {
                way = 31 * way + 31 * frame.getClassName().hashCode() + frame.getByteCodeIndex();
            }
        }
        return waits ? way | 1 : 0;
    }
}
