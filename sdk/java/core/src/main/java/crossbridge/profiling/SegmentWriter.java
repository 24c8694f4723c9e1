package crossbridge.profiling;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The segments of this process, one after the other ({@code spec/segment.md}). A line taken survives the death of the
 * process. Any thread; one at a time. Never throws: what cannot be written is dropped and counted.
 *
 * <p>Written through FileOutputStream, which opens with O_APPEND: a FileChannel is closed when a test's thread is
 * interrupted.
 */
final class SegmentWriter {
    private static final int DROPPED_OFFSET = "{\"dropped\":".length();
    private static final long LOOK_US = 1_000_000;

    final String runId;
    final String writer = Clock.newUuid();
    private final Settings settings;
    private final String framework;
    private final String frameworkVersion;
    private final long rotateBytes;
    private final List<Path> paths = new ArrayList<>();
    private FileOutputStream out;
    private long size;
    private long collected;
    private long dropped;
    private long spoolRoom;
    private long lookUs;
    private boolean torn;
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
        try {
            byte[] line = event.line().getBytes(StandardCharsets.UTF_8);
            if (!closed && (out != null || open()) && hasRoom(line.length)) {
                if (size + line.length > rotateBytes) {
                    rotate();
                }
                collected++;
                if (write(line)) {
                    return true;
                }
            } else {
                collected++;
            }
        } catch (RuntimeException error) {
            collected++;
        }
        dropped++;
        writeDropped();
        return false;
    }

    /** Writes {@code segment_end}; every later append is dropped. */
    synchronized void close(String status) {
        if (!closed && out != null) {
            end(status, null);
        }
        closed = true;
    }

    private boolean write(byte[] line) {
        try {
            if (torn) {
                out.write('\n');
                torn = false;
            }
            out.write(line);
            size += line.length;
            spoolRoom -= line.length;
            return true;
        } catch (IOException error) {
            torn = true;
            return false;
        }
    }

    private boolean hasRoom(int bytes) {
        long now = Clock.nowUs();
        if (now > lookUs) {
            lookUs = now + LOOK_US;
            spoolRoom = settings.number("SPOOL_MAX_BYTES") - spoolBytes();
        }
        return spoolRoom >= bytes;
    }

    private long spoolBytes() {
        try (Stream<Path> files = Files.walk(settings.spool(), 2)) {
            return files.filter(path -> path.toString().endsWith(".jsonl")).mapToLong(path -> path.toFile().length())
                .sum();
        } catch (IOException | java.io.UncheckedIOException error) {
            return 0;
        }
    }

    private void rotate() {
        FileOutputStream old = out;
        long oldDropped = dropped;
        long oldCollected = collected;
        dropped = 0;
        collected = 0;
        if (!open()) {
            dropped = oldDropped;
            collected = oldCollected;
            return;
        }
        String next = segmentId(paths.get(paths.size() - 1));
        try (FileOutputStream ending = old) {
            ending.write(endLine(null, oldCollected, oldDropped, next));
        } catch (IOException error) {
            return; // the reader closes it in our place
        }
    }

    private void end(String status, String next) {
        write(endLine(status, collected, dropped, next));
        try {
            out.close();
        } catch (IOException error) {
            closed = true;
        }
    }

    private static byte[] endLine(String status, long collected, long dropped, String next) {
        Json end = new Json().put("type", "segment_end").put("at_us", Clock.nowUs()).put("status", status)
            .put("collected", collected).put("dropped", dropped).put("next", next);
        return (end + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private boolean open() {
        String id = paths.isEmpty() ? writer : Clock.newUuid();
        Path path = settings.spool().resolve(runId).resolve(id + ".jsonl");
        try {
            Files.createDirectories(path.getParent(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            byte[] header = header(id, paths.size()).getBytes(StandardCharsets.UTF_8);
            FileOutputStream begun = new FileOutputStream(path.toFile(), true);
            begun.write(header);
            out = begun;
            size = header.length;
            paths.add(path);
            return true;
        } catch (IOException | RuntimeException error) {
            return false;
        }
    }

    private void writeDropped() {
        if (paths.isEmpty()) {
            return;
        }
        try (RandomAccessFile file = new RandomAccessFile(paths.get(paths.size() - 1).toFile(), "rw")) {
            file.seek(DROPPED_OFFSET);
            file.write(String.format("%-20d", dropped).getBytes(StandardCharsets.US_ASCII));
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
