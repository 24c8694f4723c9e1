package crossbridge.profiling;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The file of one segment: appended to, and put back when somebody removes it. One thread at a time.
 *
 * <p>Written through FileOutputStream, which opens with O_APPEND, and read through RandomAccessFile: a FileChannel is
 * closed when a test's thread is interrupted.
 */
final class SegmentFile {
    private static final FileAttribute<?> FOLDER =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<?> FILE =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final int COPY_BYTES = 1 << 16;

    final Path path;
    private FileOutputStream out;
    private RandomAccessFile in;
    private Object key;

    /** Makes the file, with its first line. */
    SegmentFile(Path path, byte[] header) throws IOException {
        this.path = path;
        open(path);
        out.write(header);
    }

    /** Makes a file that is not there yet, for its owner only. */
    static void create(Path path, byte[] content) throws IOException {
        Files.createFile(path, FILE);
        try (FileOutputStream out = new FileOutputStream(path.toFile())) {
            out.write(content);
        }
    }

    void write(byte[] data) throws IOException {
        out.write(data);
    }

    /** Bytes there are, also where the file has lost its name. */
    long size() throws IOException {
        return in.length();
    }

    /** Puts the file back where it was removed: the same name and bytes, so that offsets stay true. */
    void ensureInPlace() throws IOException {
        if (isInPlace()) {
            return;
        }
        Path draft = path.resolveSibling(path.getFileName().toString().replace(".jsonl", ".tmp"));
        FileOutputStream oldOut = out;
        RandomAccessFile oldIn = in;
        try {
            Files.deleteIfExists(draft);
            open(draft);
            copy(oldIn, out);
            Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | RuntimeException error) {
            if (out != oldOut) {
                close();
                Files.deleteIfExists(draft);
            }
            out = oldOut;
            in = oldIn;
            throw error;
        }
        oldOut.close();
        oldIn.close();
    }

    /** Overwrites bytes in place, whatever is behind them. */
    void overwrite(int offset, byte[] data) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(offset);
            file.write(data);
        }
    }

    void close() throws IOException {
        try {
            out.close();
        } finally {
            in.close();
        }
    }

    private void open(Path file) throws IOException {
        Files.createDirectories(file.getParent(), FOLDER);
        Files.createFile(file, FILE);
        RandomAccessFile reading = new RandomAccessFile(file.toFile(), "r");
        try {
            out = new FileOutputStream(file.toFile(), true);
        } catch (IOException error) {
            reading.close();
            throw error;
        }
        in = reading;
        key = keyOf(file);
    }

    private boolean isInPlace() {
        try {
            Object there = keyOf(path);
            return there == null || there.equals(key);
        } catch (IOException error) {
            return false;
        }
    }

    /** Device and inode; null where the system has none. */
    private static Object keyOf(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    }

    private static void copy(RandomAccessFile from, FileOutputStream to) throws IOException {
        byte[] buffer = new byte[COPY_BYTES];
        from.seek(0);
        for (int count = from.read(buffer); count > 0; count = from.read(buffer)) {
            to.write(buffer, 0, count);
        }
    }
}
