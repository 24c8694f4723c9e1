package crossbridge.profiling;

/** One event: one line of a segment ({@code spec/README.md}). What is null, or has its default, is left out. */
public final class Event {
    public final String type;
    public long atUs = Clock.nowUs();
    public String testId;
    public long attempt = 1;
    public String status;
    public Long durationUs;
    public Long setupUs;
    public Long teardownUs;
    public String suite;
    public String file;
    public String errorType;
    public String errorMessage;
    public String framework;
    public String worker;
    public String stepName;
    public String eventType;
    public Long stepIndex;
    public long depth;
    public String endpoint;
    public String method;
    public Long statusCode;
    public String command;
    public String target;
    public long retryCount;
    public String error;
    public Double cpuPercent;
    public Double memoryMb;
    /** The test whose event this is; null: none's. Not written. */
    Current owner;

    public Event(String type) {
        this.type = type;
    }

    /**
     * Says what was thrown, if anything was: its class, but of a skipped test, and its message. Never throws what a
     * user's {@code getMessage} does.
     */
    public void threw(Throwable thrown) {
        if (thrown == null) {
            return;
        }
        if (!"skipped".equals(status)) {
            String name = thrown.getClass().getSimpleName();
            errorType = name.isEmpty() ? thrown.getClass().getName() : name;
        }
        try {
            errorMessage = thrown.getMessage();
        } catch (RuntimeException | LinkageError broken) {
            errorMessage = null;
        }
    }

    byte[] line() {
        Json json = new Json();
        text(json, "type", type);
        json.put("at_us", atUs);
        text(json, "test_id", testId);
        json.putUnless(1L, "attempt", attempt);
        text(json, "status", status);
        json.putUnless(null, "duration_us", durationUs).putUnless(null, "setup_us", setupUs)
            .putUnless(null, "teardown_us", teardownUs);
        text(json, "suite", suite);
        text(json, "file", file);
        text(json, "error_type", errorType);
        message(json, "error_message", errorMessage);
        text(json, "framework", framework);
        text(json, "worker", worker);
        text(json, "step_name", stepName);
        text(json, "event_type", eventType);
        json.putUnless(null, "step_index", stepIndex).putUnless(0L, "depth", depth);
        text(json, "endpoint", endpoint);
        text(json, "method", method);
        json.putUnless(null, "status_code", statusCode);
        text(json, "command", command);
        text(json, "target", target);
        json.putUnless(0L, "retry_count", retryCount);
        message(json, "error", error);
        return json.putUnless(null, "cpu_percent", cpuPercent).putUnless(null, "memory_mb", memoryMb).line();
    }

    private static void text(Json json, String name, String text) {
        if (text != null && !(text.length() <= Texts.SHORT && json.putPlain(name, text))) {
            json.put(name, Texts.name(text));
        }
    }

    private static void message(Json json, String name, String text) {
        if (text != null) {
            json.put(name, Texts.message(text));
        }
    }
}
