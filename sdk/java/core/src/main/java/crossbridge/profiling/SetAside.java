package crossbridge.profiling;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The lines of one segment that the database refused: {@code rejected/<segment_id>.jsonl} in the spool. */
final class SetAside {
    private static final Pattern OFFSET = Pattern.compile("(?<!\\\\)\"offset\": ?([0-9]+)");

    private final Path path;
    private final Set<Long> offsets = new HashSet<>();

    SetAside(Path spool, String segmentName) {
        path = spool.resolve("rejected").resolve(segmentName);
    }

    /** Keeps a line with the reason; once only, however often it is refused and by whom. */
    void add(long offset, String line, String reason) throws IOException {
        if (offsets.isEmpty() && Files.exists(path)) {
            Matcher each = OFFSET.matcher(Files.readString(path));
            while (each.find()) {
                offsets.add(Long.valueOf(each.group(1)));
            }
        }
        if (!offsets.add(offset)) {
            return;
        }
        Files.createDirectories(path.getParent(),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        if (!Files.exists(path)) {
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        Json record = new Json().put("reason", reason).put("offset", offset).put("line", line);
        Files.write(path, record.line(), StandardOpenOption.APPEND);
    }
}
