package crossbridge.profiling.selenium;

import static org.openqa.selenium.json.Json.MAP_TYPE;

import java.util.Locale;
import java.util.Map;
import org.openqa.selenium.json.Json;
import org.openqa.selenium.remote.http.Contents;
import org.openqa.selenium.remote.http.HttpResponse;

/** The exception that Selenium makes of a driver's error, by its class name. */
final class Errors {
    // Those that are not called as the protocol calls the error.
    private static final Map<String, String> OTHERS = Map.of(
        "invalid session id", "NoSuchSessionException",
        "javascript error", "JavascriptException",
        "no such alert", "NoAlertPresentException",
        "unable to capture screen", "ScreenshotException",
        "unexpected alert open", "UnhandledAlertException",
        "unknown command", "UnsupportedCommandException",
        "unknown method", "UnsupportedCommandException",
        "unknown error", "WebDriverException",
        "unsupported operation", "WebDriverException");

    private Errors() {}

    static String named(HttpResponse response) {
        Map<String, Object> answer = new Json().toType(Contents.string(response), MAP_TYPE);
        Object value = answer.get("value");
        Object error = value instanceof Map ? ((Map<?, ?>) value).get("error") : null;
        return error instanceof String ? exception((String) error) : "WebDriverException";
    }

    static String exception(String error) {
        String other = OTHERS.get(error);
        if (other != null) {
            return other;
        }
        StringBuilder name = new StringBuilder();
        for (String word : error.split(" ")) {
            name.append(word.substring(0, 1).toUpperCase(Locale.ROOT)).append(word.substring(1));
        }
        return name + "Exception";
    }
}
