package crossbridge.profiling;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Every setting of {@code spec/settings.json}, read once from the environment, then {@code .env}. Immutable. */
final class Settings {
    /** A value is wrong: one line with the variable, the value seen (never the password) and the mend. */
    static final class Bad extends Exception {
        private static final long serialVersionUID = 1L;

        Bad(String message) {
            super(message);
        }
    }

    private static final List<String> SWITCHES = List.of("CROSSBRIDGE_PROFILING", "CROSSBRIDGE_PROFILING_ENABLED");
    private static final List<String> ROOT_MARKS = List.of(".env", "crossbridge.yml", ".crossbridge", ".git");
    private static final String PASSWORD = "CROSSBRIDGE_DB_PASSWORD";
    private static final int LABELS_MAX_CHARS = 8000;

    final boolean enabled;
    final Path projectRoot;
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final Map<String, Object> values = new LinkedHashMap<>();

    Settings(Map<String, String> environ, Path projectRoot) throws Bad {
        this.projectRoot = projectRoot;
        find(environ);
        find(dotEnv(projectRoot.resolve(".env")));
        boolean on = false;
        boolean off = false;
        for (String name : SWITCHES) {
            if (texts.containsKey(name)) {
                boolean value = bool(name, texts.get(name));
                on |= value;
                off |= !value;
            }
        }
        enabled = on && !off;
        boolean hasHost = texts.containsKey("CROSSBRIDGE_DB_HOST");
        choice("CROSSBRIDGE_PROFILING_BACKEND", hasHost ? "postgres" : "local", "postgres", "local", "none");
        text("CROSSBRIDGE_DB_HOST");
        integer("CROSSBRIDGE_DB_PORT", 5432, 1, 65535);
        text("CROSSBRIDGE_DB_NAME");
        text("CROSSBRIDGE_DB_USER");
        text(PASSWORD);
        choice("CROSSBRIDGE_DB_SSLMODE", "prefer", "disable", "allow", "prefer", "require", "verify-ca", "verify-full");
        uuid("CROSSBRIDGE_RUN_ID");
        text("CROSSBRIDGE_ENVIRONMENT");
        text("CROSSBRIDGE_APP_VERSION");
        labels("CROSSBRIDGE_LABELS");
        integer("CROSSBRIDGE_QUEUE_SIZE", 10_000, 100, 1_000_000);
        integer("CROSSBRIDGE_BATCH_SIZE", 100, 1, 5000);
        seconds("CROSSBRIDGE_FLUSH_INTERVAL", 1.0, 0.01, 60);
        path("CROSSBRIDGE_SPOOL_DIR", ".crossbridge/spool");
        bytes("CROSSBRIDGE_SPOOL_MAX_BYTES", 2L << 30, 1 << 16, 1L << 40);
        integer("CROSSBRIDGE_DB_POOL_MAX", 10, 1, 100);
        seconds("CROSSBRIDGE_DRAIN_TIMEOUT", 2.0, 0, 600);
        path("CROSSBRIDGE_DATA_DIR", null);
    }

    /** Returns the nearest folder from {@code start} upward that is marked as a project's root, else {@code start}. */
    static Path findProjectRoot(Path start) {
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            for (String mark : ROOT_MARKS) {
                if (Files.exists(folder.resolve(mark))) {
                    return folder;
                }
            }
        }
        return start;
    }

    Object get(String name) {
        return values.get("CROSSBRIDGE_" + name);
    }

    String string(String name) {
        return (String) get(name);
    }

    long number(String name) {
        return (Long) get(name);
    }

    long millis(String name) {
        return (long) (1000 * (Double) get(name));
    }

    Path spool() {
        return projectRoot.resolve(string("SPOOL_DIR"));
    }

    private void find(Map<String, String> place) {
        boolean switched = SWITCHES.stream().anyMatch(texts::containsKey);
        place.forEach((name, value) -> {
            String text = name.equals(PASSWORD) ? value : Texts.strip(value);
            if (name.startsWith("CROSSBRIDGE_") && !text.isEmpty() && !(switched && SWITCHES.contains(name))) {
                texts.putIfAbsent(name, text);
            }
        });
    }

    private static Map<String, String> dotEnv(Path path) throws Bad {
        if (!Files.isRegularFile(path)) {
            return Map.of();
        }
        try {
            return DotEnv.parse(Files.readString(path, StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw new Bad(".env cannot be read (" + error + "). Mend or remove it.");
        }
    }

    private static Bad bad(String name, String wanted, String text) {
        return new Bad(name + " must be " + wanted + ", got '" + text.replace("\n", "\\n")
            + "'. Unset it to use the default.");
    }

    private void text(String name) {
        values.put(name, texts.get(name));
    }

    private void path(String name, String standard) {
        String text = texts.getOrDefault(name, standard);
        boolean home = text != null && (text.equals("~") || text.startsWith("~/"));
        values.put(name, home ? System.getProperty("user.home") + text.substring(1) : text);
    }

    private static boolean bool(String name, String text) throws Bad {
        String lowered = text.toLowerCase(Locale.ROOT);
        if (List.of("1", "true", "yes", "on").contains(lowered)) {
            return true;
        }
        if (List.of("0", "false", "no", "off").contains(lowered)) {
            return false;
        }
        throw bad(name, "true or false", text);
    }

    private void choice(String name, String standard, String... allowed) throws Bad {
        String text = texts.getOrDefault(name, standard);
        String lowered = text.toLowerCase(Locale.ROOT);
        if (!List.of(allowed).contains(lowered)) {
            throw bad(name, "one of " + String.join(", ", allowed), text);
        }
        values.put(name, lowered);
    }

    private void integer(String name, long standard, long low, long high) throws Bad {
        String text = texts.getOrDefault(name, Long.toString(standard));
        if (!text.matches("[0-9]{1,18}") || Long.parseLong(text) < low || Long.parseLong(text) > high) {
            throw bad(name, "a whole number from " + low + " to " + high, text);
        }
        values.put(name, Long.parseLong(text));
    }

    private void seconds(String name, double standard, double low, double high) throws Bad {
        String text = texts.getOrDefault(name, Double.toString(standard));
        boolean right = text.matches("[0-9]{1,19}|[0-9]{0,19}\\.[0-9]{1,19}");
        if (!right || Double.parseDouble(text) < low || Double.parseDouble(text) > high) {
            throw bad(name, "a number of seconds from " + low + " to " + high, text);
        }
        values.put(name, Double.parseDouble(text));
    }

    private void bytes(String name, long standard, long low, long high) throws Bad {
        String text = texts.getOrDefault(name, Long.toString(standard));
        String rest = text.replaceFirst("^[0-9]+", "");
        String number = text.substring(0, text.length() - rest.length());
        String unit = Texts.strip(rest).toUpperCase(Locale.ROOT);
        int power = unit.isEmpty() ? 0 : List.of("B", "KIB", "MIB", "GIB").indexOf(unit);
        int shift = 10 * Math.max(power, 0);
        long size = power >= 0 && number.matches("[0-9]{1,13}") ? Long.parseLong(number) : 0;
        if (size > high || size << shift < low || size << shift > high) {
            throw bad(name, "a size from " + low + " to " + high + " bytes (plain, or with KiB, MiB, GiB)", text);
        }
        values.put(name, size << shift);
    }

    private void uuid(String name) throws Bad {
        String text = texts.get(name);
        if (text != null) {
            String lowered = text.toLowerCase(Locale.ROOT);
            String bare = "([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})";
            String hyphened = lowered.replaceFirst("^" + bare + "$", "$1-$2-$3-$4-$5");
            if (!lowered.matches(bare) || !(lowered.equals(hyphened) || lowered.indexOf('-') < 0)) {
                throw bad(name, "a UUID", text);
            }
            text = hyphened;
        }
        values.put(name, text);
    }

    private void labels(String name) throws Bad {
        String text = texts.getOrDefault(name, "");
        if (text.codePointCount(0, text.length()) > LABELS_MAX_CHARS) {
            throw bad(name, "at most " + LABELS_MAX_CHARS + " characters", text.substring(0, 40) + "...");
        }
        Map<String, String> labels = new LinkedHashMap<>();
        for (String part : text.split(",")) {
            String pair = Texts.strip(part);
            int equals = pair.indexOf('=');
            if (!pair.isEmpty() && (equals < 0 || Texts.strip(pair.substring(0, equals)).isEmpty())) {
                throw bad(name, "labels as k=v,k=v", text);
            }
            if (!pair.isEmpty()) {
                labels.put(Texts.strip(pair.substring(0, equals)), Texts.strip(pair.substring(equals + 1)));
            }
        }
        values.put(name, labels);
    }
}
