package crossbridge.profiling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SegmentWriterTest {
    @TempDir
    Path folder;

    private SegmentWriter writer(long rotateBytes) throws Settings.Bad {
        return new SegmentWriter(new Settings(Map.of(), folder), "junit", null, rotateBytes);
    }

    private static Event event() {
        Event event = new Event("test_end");
        event.testId = "shop.CartTest#total()";
        return event;
    }

    @Test
    void aFullSegmentIsFollowedByAnother() throws Exception {
        SegmentWriter writer = writer(2000);
        for (int i = 0; i < 100; i++) {
            assertTrue(writer.append(event()));
        }
        writer.close("passed");
        List<Path> paths = writer.paths();
        assertTrue(paths.size() > 2);
        int events = 0;
        for (int i = 0; i < paths.size(); i++) {
            List<String> lines = Files.readAllLines(paths.get(i));
            events += lines.size() - 2;
            assertTrue(lines.get(0).contains("\"seq\":" + i + ","));
            String next = i + 1 == paths.size() ? "null"
                : "\"" + paths.get(i + 1).getFileName().toString().replace(".jsonl", "") + "\"";
            String end = lines.get(lines.size() - 1);
            assertTrue(end.contains("\"collected\":" + (lines.size() - 2) + ",\"dropped\":0,\"next\":" + next), end);
        }
        assertEquals(100, events);
    }

    @Test
    void nothingIsTakenAfterTheEnd() throws Exception {
        SegmentWriter writer = writer(1 << 20);
        writer.close(null);
        assertFalse(writer.append(event()));
        assertEquals(2, Files.readAllLines(writer.paths().get(0)).size());
    }

    @Test
    void aSpoolThatCannotBeMadeHarmsNobody() throws Exception {
        Files.writeString(folder.resolve(".crossbridge"), "");
        SegmentWriter writer = writer(1 << 20);
        assertFalse(writer.append(event()));
        writer.close("passed");
    }

    @Test
    void aSegmentThatWasRemovedIsPutBack() throws Exception {
        SegmentWriter writer = writer(1 << 20);
        assertTrue(writer.append(event()));
        Path path = writer.paths().get(0);
        byte[] before = Files.readAllBytes(path);
        Files.delete(path);
        Files.delete(path.getParent());
        writer.close("passed");
        byte[] after = Files.readAllBytes(path);
        assertArrayEquals(before, Arrays.copyOf(after, before.length));
        assertEquals(3, Files.readAllLines(path).size());
        assertEquals(1, writer.paths().size());
    }

    @Test
    void aSegmentThatWasRemovedIsPutBackWhileTheTestsRun() throws Exception {
        SegmentWriter writer = writer(1 << 20);
        Path path = writer.paths().get(0);
        Files.delete(path);
        for (int taken = 1; !Files.exists(path); taken++) {
            assertTrue(writer.append(event()));
            assertTrue(taken < 100_000_000);
        }
        assertTrue(Files.readAllLines(path).get(0).startsWith("{\"dropped\":0 "));
    }
}
