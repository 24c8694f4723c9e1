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
        return new Json().put("type", type).put("at_us", atUs).putUnless(null, "test_id", name(testId))
            .putUnless(1L, "attempt", attempt).putUnless(null, "status", status)
            .putUnless(null, "duration_us", durationUs).putUnless(null, "setup_us", setupUs)
            .putUnless(null, "teardown_us", teardownUs).putUnless(null, "suite", name(suite))
            .putUnless(null, "file", name(file)).putUnless(null, "error_type", name(errorType))
            .putUnless(null, "error_message", message(errorMessage)).putUnless(null, "framework", name(framework))
            .putUnless(null, "worker", name(worker)).putUnless(null, "step_name", name(stepName))
            .putUnless(null, "event_type", name(eventType)).putUnless(null, "step_index", stepIndex)
            .putUnless(0L, "depth", depth).putUnless(null, "endpoint", name(endpoint))
            .putUnless(null, "method", name(method)).putUnless(null, "status_code", statusCode)
            .putUnless(null, "command", name(command)).putUnless(null, "target", name(target))
            .putUnless(0L, "retry_count", retryCount).putUnless(null, "error", message(error))
            .putUnless(null, "cpu_percent", cpuPercent).putUnless(null, "memory_mb", memoryMb).line();
    }

    private static String name(String text) {
        return text == null ? null : Texts.name(text);
    }

    private static String message(String text) {
        return text == null ? null : Texts.message(text);
    }
}
