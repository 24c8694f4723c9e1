package crossbridge.profiling;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Delivers this process's own segments while it lives: one daemon thread, exactly once by the database's compare and
 * set ({@code spec/segment.md}). Never throws; what it does not deliver stays in the spool for `crossbridge ingest`.
 * A line that the database refuses as bad data is set aside, and its neighbours are stored.
 */
final class Shipper extends Thread {
    private static final int BATCH_MAX_BYTES = 4 << 20;
    private static final int BATCH_MAX_LINES = 5000;
    private static final int REASON_MAX_CHARS = 500;
    private static final long NOWHERE = 1L << 62;
    private static final String INGEST = "SELECT crossbridge.ingest(?::uuid, ?::uuid, ?, ?, ?::jsonb)";

    private final Settings settings;
    private final SegmentWriter writer;
    private int segment;
    private long offset = -1;
    private SetAside setAside;
    private long ceilingMs = 100;
    private final long batchSize;
    private final AtomicLong fresh = new AtomicLong();
    private volatile boolean ending;
    private Connection connection;

    Shipper(Settings settings, SegmentWriter writer) {
        super("crossbridge shipper");
        this.settings = settings;
        this.writer = writer;
        batchSize = settings.number("BATCH_SIZE");
        setDaemon(true);
    }

    /** An event was recorded: a batch of them is sent without waiting for the flush interval. Any thread. */
    void noteEvent() {
        if (fresh.incrementAndGet() == batchSize) {
            LockSupport.unpark(this);
        }
    }

    /** Waits until all is delivered, or for the drain time-out. The writer is closed by now. */
    void drain() {
        ending = true;
        LockSupport.unpark(this);
        try {
            join(Math.max(1, settings.millis("DRAIN_TIMEOUT")));
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void run() {
        try {
            while (!(deliver() && ending)) {
                pause(ending ? 10 : settings.millis("FLUSH_INTERVAL"));
            }
        } catch (IOException | SQLException | RuntimeException | LinkageError error) {
            ending = true; // no driver, or bad data: the segment stays
        } finally {
            disconnect();
        }
    }

    /** Sends all whole lines there are; returns whether every segment begun is delivered and closed. */
    private boolean deliver() throws IOException, SQLException {
        fresh.set(0);
        List<Path> paths = writer.paths();
        try {
            while (segment < paths.size()) {
                if (!deliverSegment(paths.get(segment))) {
                    return false;
                }
                Files.deleteIfExists(paths.get(segment));
                segment++;
                offset = -1;
                setAside = null;
            }
            return true;
        } catch (SQLException error) {
            disconnect();
            if (!isOutage(error)) {
                throw error;
            }
            offset = -1;
            backOff(ThreadLocalRandom.current().nextLong(1, ceilingMs));
            ceilingMs = Math.min(2 * ceilingMs, 8000);
            return false;
        }
    }

    /** Returns whether the segment's last line is in the database. */
    private boolean deliverSegment(Path path) throws IOException, SQLException {
        if (offset < 0) {
            offset = ingest(path, NOWHERE, NOWHERE, "[]");
        }
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            boolean ended = false;
            for (byte[] lines = read(file); lines.length > 0; lines = read(file)) {
                long end = offset + lines.length;
                send(path, lines);
                String text = new String(lines, StandardCharsets.UTF_8);
                ended = offset == end && ("\n" + text).contains("\n{\"type\":\"segment_end\"");
                ceilingMs = 100;
            }
            return ended;
        }
    }

    /** Sends whole lines that begin where the database stands. */
    private void send(Path path, byte[] lines) throws IOException, SQLException {
        String text = new String(lines, StandardCharsets.UTF_8).strip();
        long start = offset;
        try {
            stand(lines, ingest(path, start, start + lines.length, "[" + text.replaceAll("\n+", ",") + "]"));
        } catch (SQLException error) {
            if (!isBadData(error)) {
                throw error;
            }
            if (text.indexOf('\n') < 0) {
                reject(path, lines, text, error);
                return;
            }
            byte[] half = Arrays.copyOf(lines, middle(lines));
            send(path, half);
            if (offset == start + half.length) { // else another reader is further on
                send(path, Arrays.copyOfRange(lines, half.length, lines.length));
            }
        }
    }

    private void reject(Path path, byte[] line, String text, SQLException refusal) throws IOException, SQLException {
        if (offset == 0) {
            throw refusal; // a first line: `crossbridge ingest` puts another in its place
        }
        String reason = String.valueOf(refusal.getMessage());
        if (setAside == null) {
            setAside = new SetAside(settings.spool(), path.getFileName().toString());
        }
        setAside.add(offset, text, reason);
        String said = reason.substring(0, Math.min(reason.length(), REASON_MAX_CHARS));
        Json event = new Json().put("type", "rejected").put("count", 1).put("reason", Texts.message(said));
        stand(line, ingest(path, offset, offset + line.length, "[" + event + "]"));
    }

    private void stand(byte[] sent, long answer) throws SQLException {
        if (answer == offset && sent.length > 0) {
            throw new SQLException("the database stays at byte " + answer);
        }
        offset = answer;
    }

    /** Returns where the line begins that follows the middle one. */
    private static int middle(byte[] lines) {
        int at = lines.length / 2;
        while (at > 0 && lines[at - 1] != '\n') {
            at--;
        }
        if (at == 0) {
            while (lines[at++] != '\n') {
                continue;
            }
        }
        return at;
    }

    /** Returns the next whole lines, up to 4 MiB of them and no more than may be read ahead. */
    private byte[] read(RandomAccessFile file) throws IOException {
        long there = Math.min(file.length() - offset, BATCH_MAX_BYTES);
        if (there <= 0) {
            return new byte[0];
        }
        byte[] bytes = new byte[(int) there];
        file.seek(offset);
        file.readFully(bytes);
        int end = 0;
        long most = Math.min(BATCH_MAX_LINES, settings.number("QUEUE_SIZE"));
        for (int i = 0, lines = 0; i < bytes.length && lines < most; i++) {
            if (bytes[i] == '\n') {
                end = i + 1;
                lines++;
            }
        }
        return Arrays.copyOf(bytes, end);
    }

    private long ingest(Path path, long from, long to, String events) throws SQLException {
        try (PreparedStatement statement = connected().prepareStatement(INGEST)) {
            statement.setString(1, path.getFileName().toString().replace(".jsonl", ""));
            statement.setString(2, writer.runId);
            statement.setLong(3, from);
            statement.setLong(4, to);
            statement.setString(5, events);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }

    private Connection connected() throws SQLException {
        if (connection == null) {
            Properties properties = new Properties();
            properties.setProperty("user", or(settings.string("DB_USER"), System.getProperty("user.name")));
            properties.setProperty("password", or(settings.string("DB_PASSWORD"), ""));
            properties.setProperty("sslmode", settings.string("DB_SSLMODE"));
            properties.setProperty("ApplicationName", "crossbridge shipper");
            properties.setProperty("connectTimeout", "5");
            String host = settings.string("DB_HOST");
            connection = DriverManager.getConnection("jdbc:postgresql://"
                + (host.contains(":") ? "[" + host + "]" : host) + ":" + settings.number("DB_PORT") + "/"
                + or(settings.string("DB_NAME"), settings.string("DB_USER")), properties);
        }
        return connection;
    }

    private static String or(String text, String standard) {
        return text == null ? standard : text;
    }

    /** Whether the same may well go through later: no connection, a clash, too many clients, a server that ends. */
    private static boolean isOutage(SQLException error) {
        String state = error.getSQLState() == null ? "" : error.getSQLState();
        boolean noDriver = String.valueOf(error.getMessage()).startsWith("No suitable driver");
        return !noDriver && state.matches("(08|40|53|57).*");
    }

    private static boolean isBadData(SQLException error) {
        return error.getSQLState() != null && error.getSQLState().matches("(22|23|54).*");
    }

    private void disconnect() {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException error) {
            return; // it was gone already
        } finally {
            connection = null;
        }
    }

    /** Waits, however many events come meanwhile; at the end of the run not for long. */
    private void backOff(long millis) {
        long untilNs = System.nanoTime() + millis * 1_000_000;
        while (!ending && System.nanoTime() < untilNs) {
            pause(Math.max(1, (untilNs - System.nanoTime()) / 1_000_000));
        }
        if (ending) {
            pause(Math.min(millis, 100));
        }
    }

    private static void pause(long millis) {
        LockSupport.parkNanos(millis * 1_000_000);
        Thread.interrupted(); // somebody's who interrupts every thread
    }
}
