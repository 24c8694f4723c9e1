package crossbridge.profiling.junit;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/**
 * Lets Jupiter find {@link Phases} and no extension that the project has not asked for. Without it set-up, body and
 * tear-down are one.
 */
final class Autodetection {
    private static final String ENABLED = "junit.jupiter.extensions.autodetection.enabled";
    private static final String INCLUDE = "junit.jupiter.extensions.autodetection.include";
    private static final String OURS = "crossbridge.profiling.junit.Phases"; // a project of JUnit 4 lacks what it needs
    private static final String SERVICE = "META-INF/services/org.junit.jupiter.api.extension.Extension";

    private Autodetection() {}

    /** Switches it on by system properties, which Jupiter reads when it looks for tests; the user's word goes first. */
    static void on() {
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            if (isSet(ENABLED, loader) || isSet(INCLUDE, loader)) {
                return;
            }
            if (knowsInclude(loader)) {
                System.setProperty(INCLUDE, OURS);
            } else if (hasOthers(loader)) {
                return; // they would be switched on with ours
            }
            System.setProperty(ENABLED, "true");
        } catch (IOException | RuntimeException | LinkageError error) {
            return; // no Jupiter here, or no right to set a property
        }
    }

    private static boolean isSet(String name, ClassLoader loader) throws IOException {
        if (System.getProperty(name) != null) {
            return true;
        }
        Properties properties = new Properties();
        try (InputStream file = loader.getResourceAsStream("junit-platform.properties")) {
            if (file != null) {
                properties.load(file);
            }
        }
        return properties.containsKey(name);
    }

    /** Whether this is Jupiter 5.12 or later, which can be told whom to detect. */
    private static boolean knowsInclude(ClassLoader loader) {
        for (String constants : List.of("org.junit.jupiter.api.Constants", "org.junit.jupiter.engine.Constants")) {
            try {
                Class.forName(constants, false, loader).getField("EXTENSIONS_AUTODETECTION_INCLUDE_PROPERTY_NAME");
                return true;
            } catch (ReflectiveOperationException | LinkageError error) {
                continue;
            }
        }
        return false;
    }

    private static boolean hasOthers(ClassLoader loader) throws IOException {
        for (URL file : Collections.list(loader.getResources(SERVICE))) {
            try (InputStream services = file.openStream()) {
                for (String line : new String(services.readAllBytes(), "UTF-8").split("\\R")) {
                    String name = line.replaceFirst("#.*", "").strip();
                    if (!name.isEmpty() && !name.equals(OURS)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
