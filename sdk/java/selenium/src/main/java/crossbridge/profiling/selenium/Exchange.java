package crossbridge.profiling.selenium;

import static org.openqa.selenium.json.Json.MAP_TYPE;

import crossbridge.profiling.Identity;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openqa.selenium.json.Json;
import org.openqa.selenium.remote.http.Contents;
import org.openqa.selenium.remote.http.HttpRequest;
import org.openqa.selenium.remote.http.HttpResponse;

/**
 * A request of the WebDriver protocol and its answer: which command, aimed at what. Locators, pages without their query
 * and names of DevTools' methods are targets; everything else that a command is told is a value, and stays out.
 */
final class Exchange {
    private static final Pattern SESSION = Pattern.compile("/session(?:/[^/]+(?:/(.*))?)?");
    private static final Pattern OF_ELEMENT = Pattern.compile("element/([^/]+)(?:/.*)?");
    // How Selenium's own scripts begin: they are about the element that is their first argument.
    private static final Pattern OWN_SCRIPT =
        Pattern.compile("\"script\"\\s*:\\s*\"(?:/|\\\\u002f)\\* (?:isDisplayed|getAttribute) \\*");

    private Exchange() {}

    static void record(HttpRequest request, HttpResponse response, long startUs, long endUs, String error) {
        Matcher session = SESSION.matcher(request.getUri());
        if (!session.matches()) {
            return; // not for a driver: DevTools' list of pages
        }
        String path = session.group(1) == null ? "" : session.group(1);
        String name = Routes.command(request.getMethod().name(), path);
        String body = isTold(name) ? Contents.string(request) : null;
        String target = target(name, path, body);
        String failure = error;
        if (response != null && !response.isSuccessful()) {
            failure = Errors.named(response);
        } else if (response != null && name.startsWith("find")) {
            Locators.remember(Contents.string(response), target);
        }
        String detail = name.startsWith("w3cExecuteScript") || target == null ? path + body : null;
        new Command(name, target, startUs, endUs, failure, 0).add(detail);
    }

    /** Tells whether a command is aimed at something that stands in its body. */
    private static boolean isTold(String name) {
        return name.equals("get") || name.startsWith("find") || name.equals("executeCdpCommand")
            || name.startsWith("w3cExecuteScript");
    }

    private static String target(String name, String path, String body) {
        if (body == null) {
            Matcher element = OF_ELEMENT.matcher(path);
            return element.matches() ? Locators.of(element.group(1)) : null;
        }
        if (name.startsWith("w3cExecuteScript")) {
            return OWN_SCRIPT.matcher(body).find() ? Locators.ofFirstIn(body) : null;
        }
        Map<String, Object> told = new Json().toType(body, MAP_TYPE);
        if (name.equals("get")) {
            return Identity.endpoint(String.valueOf(told.get("url")));
        }
        return told.containsKey("using") ? told.get("using") + "=" + told.get("value") : (String) told.get("cmd");
    }
}
