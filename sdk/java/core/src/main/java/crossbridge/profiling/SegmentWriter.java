package crossbridge.profiling;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The segments of this process, one after the other ({@code spec/segment.md}). A line taken survives the death of the
 * process. Any thread; one at a time. Never throws: what cannot be written is dropped and counted.
 */
final class SegmentWriter {
    private static final int DROPPED_OFFSET = "{\"dropped\":".length();
    /** How long the file is believed to be where it is, and a full spool or disk to stay full, before the next look. */
    private static final long LOOK_US = 200_000;
    private static final long FULL_LOOK_US = 1_000_000;
    /**
     * What may be written before the next look at what the whole spool holds: a sixteenth of what is left of it
     * (several processes write at once), within these bounds.
     */
    private static final long ALLOWANCE_MIN_BYTES = 64 << 10;
    private static final long ALLOWANCE_MAX_BYTES = 16 << 20;
    private static final byte[] NOTHING = {};

    final String runId;
    final String writer = Clock.newUuid();
    private final Settings settings;
    private final String framework;
    private final String frameworkVersion;
    private final long rotateBytes;
    private final List<Path> paths = new ArrayList<>();
    private SegmentFile file;
    private byte[] rest = NOTHING; // what is missing of a line that has begun
    private long size;
    private long collected;
    private long dropped;
    private long spoolRoom;
    private long lookUs;
    private long fullUntilUs;
    private boolean closed;

    SegmentWriter(Settings settings, String framework, String frameworkVersion, long rotateBytes) {
        this.settings = settings;
        this.framework = framework;
        this.frameworkVersion = frameworkVersion;
        this.rotateBytes = rotateBytes;
        runId = settings.get("RUN_ID") == null ? Launch.runId() : settings.string("RUN_ID");
        open();
    }

    /** Returns the segments begun so far, oldest first. */
    synchronized List<Path> paths() {
        return new ArrayList<>(paths);
    }

    synchronized boolean append(Event event) {
        collected++;
        try {
            byte[] line = event.line();
            if (!closed && isReady(line.length) && write(line)) {
                return true;
            }
        } catch (RuntimeException error) {
            fullUntilUs = 0; // this event's fault, not the disk's
        }
        dropped++;
        writeDropped();
        return false;
    }

    /** Writes {@code segment_end}; every later append is dropped. */
    synchronized void close(String status) {
        if (!closed && (file != null || open())) {
            try {
                file.ensureInPlace();
                end(file, status, collected, dropped, null);
            } catch (IOException | RuntimeException error) {
                closed = true; // the reader closes it in our place
            }
        }
        closed = true;
    }

    /** Whether there is a file in its place, and room for so many bytes. */
    private boolean isReady(int bytes) {
        long now = Clock.nowUs();
        if (now < fullUntilUs) {
            return false;
        }
        if (now > lookUs && !look(now) || spoolRoom < bytes && !makeRoom(bytes)) {
            fullUntilUs = now + FULL_LOOK_US;
            return false;
        }
        if (size + bytes > rotateBytes) {
            rotate();
        }
        return true;
    }

    private boolean look(long now) {
        try {
            if (file != null) {
                file.ensureInPlace();
            }
            lookUs = now + LOOK_US;
            return file != null || open();
        } catch (IOException | RuntimeException error) {
            return false;
        }
    }

    private boolean makeRoom(int bytes) {
        long left = settings.number("SPOOL_MAX_BYTES") - spoolBytes();
        long share = Math.min(Math.max(left / 16, ALLOWANCE_MIN_BYTES), ALLOWANCE_MAX_BYTES);
        spoolRoom = Math.min(left, share);
        return spoolRoom >= bytes;
    }

    /**
     * Writes what is missing of the line before, and this one; false when nothing of it went in. A line of which a part
     * went in (the disk is full) is not lost: its rest goes in front of the next one.
     */
    private boolean write(byte[] line) {
        try {
            if (rest.length == 0) {
                file.write(line);
            } else {
                file.write(joined(rest, line));
            }
            size += rest.length + line.length;
            spoolRoom -= line.length;
            rest = NOTHING;
            return true;
        } catch (IOException error) {
            fullUntilUs = Clock.nowUs() + FULL_LOOK_US;
            return isBegun(joined(rest, line), line.length);
        }
    }

    private boolean isBegun(byte[] data, int ofLine) {
        try {
            int in = (int) (file.size() - size);
            size += in;
            boolean begun = in > data.length - ofLine;
            rest = Arrays.copyOfRange(data, in, begun ? data.length : data.length - ofLine);
            return begun;
        } catch (IOException error) {
            return false;
        }
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private long spoolBytes() {
        try (Stream<Path> files = Files.walk(settings.spool(), 2)) {
            return files.filter(path -> path.toString().endsWith(".jsonl")).mapToLong(path -> path.toFile().length())
                .sum();
        } catch (IOException | java.io.UncheckedIOException error) {
            return 0;
        }
    }

    /** Begins the next segment, in which the event that is under way is the first; goes on in this one if it cannot. */
    private void rotate() {
        SegmentFile old = file;
        long oldDropped = dropped;
        long oldCollected = collected;
        dropped = 0;
        collected = 1;
        if (!open()) {
            dropped = oldDropped;
            collected = oldCollected;
            return;
        }
        try {
            end(old, null, oldCollected - 1, oldDropped, segmentId(file.path));
        } catch (IOException error) {
            return; // the reader closes it in our place
        }
    }

    private void end(SegmentFile ending, String status, long itsCollected, long itsDropped, String next)
            throws IOException {
        byte[] last = joined(rest, endLine(status, itsCollected, itsDropped, next));
        rest = NOTHING;
        ending.write(last);
        ending.close();
    }

    private static byte[] endLine(String status, long collected, long dropped, String next) {
        Json end = new Json().put("type", "segment_end").put("at_us", Clock.nowUs()).put("status", status)
            .put("collected", collected).put("dropped", dropped).put("next", next);
        return end.line();
    }

    private boolean open() {
        String id = paths.isEmpty() ? writer : Clock.newUuid();
        Path path = settings.spool().resolve(runId).resolve(id + ".jsonl");
        try {
            byte[] header = header(id, paths.size()).getBytes(StandardCharsets.UTF_8);
            file = new SegmentFile(path, header);
            size = header.length;
        } catch (IOException | RuntimeException error) {
            return false;
        }
        if (paths.isEmpty()) {
            keepOutOfGit(settings.spool());
        }
        paths.add(path);
        return true;
    }

    /** Lets the folder of ours that the spool lies in ignore itself; not one that somebody has chosen. */
    private static void keepOutOfGit(Path spool) {
        try {
            if (spool.getParent().endsWith(".crossbridge")) {
                SegmentFile.create(spool.resolveSibling(".gitignore"), "*\n".getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException | RuntimeException error) {
            return; // there is one, or it may not be made: no test depends on it
        }
    }

    private void writeDropped() {
        if (file == null || closed) {
            return;
        }
        try {
            file.overwrite(DROPPED_OFFSET, String.format("%-20d", dropped).getBytes(StandardCharsets.US_ASCII));
        } catch (IOException error) {
            return; // the count stands in segment_end too
        }
    }

    private String header(String id, int seq) {
        Map<String, String> labels = new LinkedHashMap<>();
        ((Map<?, ?>) settings.get("LABELS"))
            .forEach((key, value) -> labels.put(Texts.name((String) key), Texts.name((String) value)));
        RunInfo info = new RunInfo(System.getenv(), settings.projectRoot);
        Json start = new Json().put("type", "segment_start").put("v", 1).put("segment_id", id).put("run_id", runId)
            .put("writer", writer).put("seq", seq).put("parent", null).put("role", "main")
            .put("pid", ProcessHandle.current().pid()).put("pid_start", pidStart()).put("host", host())
            .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
            .put("runtime", "OpenJDK " + System.getProperty("java.version")).put("sdk", "java/0.1.0")
            .put("framework", Texts.name(framework)).put("framework_version", cleaned(frameworkVersion))
            .put("worker", Launch.worker()).put("at_us", Clock.nowUs()).put("environment",
                Texts.name(RunInfo.environmentName(settings.string("ENVIRONMENT"), System.getenv())))
            .put("app_version", cleaned(settings.string("APP_VERSION"))).put("labels", labels)
            .put("git_commit", cleaned(info.commit)).put("git_branch", cleaned(info.branch))
            .put("ci_provider", info.provider).put("ci_url", cleaned(info.url));
        return String.format("{\"dropped\":%-20d,", dropped) + start.toString().substring(1) + "\n";
    }

    private static String cleaned(String text) {
        return text == null ? null : Texts.name(text);
    }

    private static String segmentId(Path path) {
        return path.getFileName().toString().replace(".jsonl", "");
    }

    private static Long pidStart() {
        try {
            return Long.valueOf(Launch.start(ProcessHandle.current()));
        } catch (NumberFormatException error) {
            return null; // not in ticks on this system
        }
    }

    static String host() {
        try {
            return Texts.name(Texts.strip(Files.readString(Path.of("/proc/sys/kernel/hostname"))));
        } catch (IOException | RuntimeException error) {
            return fallbackHost();
        }
    }

    private static String fallbackHost() {
        try {
            return Texts.name(InetAddress.getLocalHost().getHostName());
        } catch (IOException error) {
            return "unknown";
        }
    }
}
