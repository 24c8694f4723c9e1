package crossbridge.profiling;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/** Answers the contract's cases: a line a case, a word and texts in base64 of UTF-16; the answer likewise. */
final class SpecCases {
    private SpecCases() {}

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", -1);
            String[] texts = new String[parts.length - 1];
            for (int i = 0; i < texts.length; i++) {
                texts[i] = decode(parts[i + 1]);
            }
            System.out.println(encode(answer(parts[0], texts)));
        }
    }

    private static String answer(String word, String[] texts) throws Exception {
        switch (word) {
            case "test_id":
                return Identity.testId(texts[0], texts[1]);
            case "endpoint":
                return Identity.endpoint(texts[0]);
            case "name":
                return Texts.name(texts[0]);
            case "message":
                return Texts.message(texts[0]);
            case "dotenv":
                return new Json().put("values", DotEnv.parse(texts[0])).toString();
            case "run_info":
                return runInfo(texts);
            case "settings":
                return settings(texts);
            default:
                throw new IllegalArgumentException(word);
        }
    }

    private static String settings(String[] texts) {
        Map<String, String> environ = environ(texts);
        try {
            Settings settings = new Settings(environ, Path.of(texts[0]));
            Json json = new Json().put("enabled", settings.enabled);
            for (String name : new String[] {"PROFILING_BACKEND", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER",
                "DB_PASSWORD", "DB_SSLMODE", "RUN_ID", "ENVIRONMENT", "APP_VERSION", "LABELS", "QUEUE_SIZE",
                "BATCH_SIZE", "FLUSH_INTERVAL", "SPOOL_DIR", "SPOOL_MAX_BYTES", "DB_POOL_MAX", "DRAIN_TIMEOUT",
                "DATA_DIR"}) {
                json.put("CROSSBRIDGE_" + name, settings.get(name));
            }
            return json.toString();
        } catch (Settings.Bad bad) {
            return new Json().put("error", bad.getMessage()).toString();
        }
    }

    private static String runInfo(String[] texts) throws Settings.Bad {
        Path root = Path.of(texts[0]);
        Map<String, String> environ = environ(texts);
        RunInfo info = new RunInfo(environ, root);
        String set = new Settings(environ, root).string("ENVIRONMENT");
        return new Json().put("environment", RunInfo.environmentName(set, environ)).put("git_commit", info.commit)
            .put("git_branch", info.branch).put("ci_provider", info.provider).put("ci_url", info.url).toString();
    }

    private static Map<String, String> environ(String[] texts) {
        Map<String, String> environ = new LinkedHashMap<>();
        for (int i = 1; i < texts.length; i += 2) {
            environ.put(texts[i], texts[i + 1]);
        }
        return environ;
    }

    private static String decode(String text) {
        return fromUtf16(Base64.getDecoder().decode(text));
    }

    /** Unlike a decoder of the JDK, keeps lone surrogates. */
    private static String fromUtf16(byte[] bytes) {
        char[] units = new char[bytes.length / 2];
        for (int i = 0; i < units.length; i++) {
            units[i] = (char) ((bytes[2 * i] & 255) << 8 | bytes[2 * i + 1] & 255);
        }
        return new String(units);
    }

    private static String encode(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_16BE));
    }
}
