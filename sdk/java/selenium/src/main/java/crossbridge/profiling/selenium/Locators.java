package crossbridge.profiling.selenium;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Under which locator an element was found. Ids of elements are not used twice, whatever the session. Any thread. */
final class Locators {
    private static final int ELEMENTS = 5000;
    private static final int ELEMENTS_OF_ONE_FIND = 200;
    // The protocol's own name for an element's id. That of a shadow root begins otherwise.
    private static final Pattern ID = Pattern.compile("\"element-6066-11e4-a52e-4f735466cecf\"\\s*:\\s*\"([^\"]+)\"");
    private static final Map<String, String> LOCATORS = new ConcurrentHashMap<>();

    private Locators() {}

    static String of(String elementId) {
        return LOCATORS.get(elementId);
    }

    /** Returns how the first element in a request's body was found. */
    static String ofFirstIn(String body) {
        Matcher id = ID.matcher(body);
        return id.find() ? of(id.group(1)) : null;
    }

    /** Keeps the locator of all elements in an answer. */
    static void remember(String answer, String locator) {
        if (locator == null) {
            return;
        }
        if (LOCATORS.size() > ELEMENTS) {
            LOCATORS.clear();
        }
        Matcher id = ID.matcher(answer);
        for (int found = 0; found < ELEMENTS_OF_ONE_FIND && id.find(); found++) {
            LOCATORS.put(id.group(1), locator);
        }
    }
}
