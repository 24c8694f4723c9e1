package crossbridge.profiling;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code bench/sdk.py} asks: median and p99 of each call in nanoseconds, in blocks that take turns. */
final class RecordBench {
    private static final int BLOCK = 1000;
    private static final int WARM_UP = 30;

    private RecordBench() {}

    private interface Call {
        void make() throws IOException;
    }

    private static Event event() {
        Event event = new Event("test_end");
        event.testId = "shop.api.OrdersTest#createsAnOrder(EUR, 3)";
        event.status = "passed";
        event.durationUs = 1234L;
        event.setupUs = 100L;
        event.teardownUs = 50L;
        event.suite = "shop.api.OrdersTest";
        event.file = "src/test/java/shop/api/OrdersTest.java";
        return event;
    }

    public static void main(String[] arguments) throws IOException {
        int blocks = Integer.parseInt(arguments[0]);
        Collector collector = Collector.open("junit", "6.0.0");
        byte[] line = event().line();
        FileChannel floor =
            FileChannel.open(Path.of("floor"), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Map<String, Call> calls = new LinkedHashMap<>();
        calls.put("record", () -> collector.collect(event()));
        calls.put("encode", () -> event().line());
        calls.put("write", () -> floor.write(ByteBuffer.wrap(line)));
        calls.put("clock", () -> {});
        Map<String, long[]> taken = new LinkedHashMap<>();
        calls.keySet().forEach(name -> taken.put(name, new long[blocks * BLOCK]));
        for (int block = -WARM_UP; block < blocks; block++) {
            for (Map.Entry<String, Call> each : calls.entrySet()) {
                time(each.getValue(), taken.get(each.getKey()), block * BLOCK);
            }
        }
        taken.forEach((name, ns) -> {
            Arrays.sort(ns);
            System.out.println(name + " " + ns[ns.length / 2] + " " + ns[ns.length / 100 * 99]);
        });
    }

    private static void time(Call call, long[] taken, int at) throws IOException {
        for (int i = at; i < at + BLOCK; i++) {
            long before = System.nanoTime();
            call.make();
            taken[Math.floorMod(i, taken.length)] = System.nanoTime() - before;
        }
    }
}
