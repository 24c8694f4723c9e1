package crossbridge.profiling;

/** Records so many tests; then closes, waits to be killed, or leaves without a word. */
final class RecordTests {
    private RecordTests() {}

    /** Records what the database refuses. */
    private static void spoil(Collector collector) {
        Event bad = new Event("test_end");
        bad.testId = "bad";
        bad.status = "unheard of";
        collector.collect(bad);
    }

    public static void main(String[] arguments) throws Exception {
        Collector collector = Collector.open("junit", "5.11.4");
        for (int i = 0; collector != null && i < Integer.parseInt(arguments[0]); i++) {
            Event start = new Event("test_start");
            start.testId = "shop.CartTest#total(" + i + ", \"é☂😀\n\u0000\\\")";
            collector.collect(start);
            Event end = new Event("test_end");
            end.testId = start.testId;
            end.status = i % 2 == 0 ? "passed" : "failed";
            end.durationUs = 1500L + i;
            end.errorMessage = i % 2 == 0 ? null : "expected: <1> but was: <2>";
            collector.collect(end);
            if (arguments.length > 2 && i == Integer.parseInt(arguments[2])) {
                spoil(collector);
            }
            Thread.currentThread().interrupt(); // as a test may: it must not cost the segment
            Thread.interrupted();
        }
        System.out.println("recorded");
        if (arguments[1].equals("close")) {
            if (collector != null) {
                collector.close("failed");
            }
        } else if (arguments[1].equals("wait")) {
            System.in.read();
        }
    }
}
