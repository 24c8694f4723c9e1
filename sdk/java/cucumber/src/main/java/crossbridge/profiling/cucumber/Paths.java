package crossbridge.profiling.cucumber;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where a feature's file lies: the same path, whether it was found as a file or on the class path. */
final class Paths {
    private static final List<String> ROOTS =
        List.of("src/test/resources", "src/test/java", "src/it/resources", "src/integrationTest/resources");

    private Paths() {}

    /** Returns the absolute path of the source; without one, the path on the class path. */
    static String of(URI uri) {
        if ("file".equals(uri.getScheme())) {
            return Path.of(uri).toString().replace('\\', '/');
        }
        String name = uri.getSchemeSpecificPart().replaceFirst("^/+", "");
        Path module = Path.of("").toAbsolutePath();
        for (String root : ROOTS) {
            Path file = module.resolve(root).resolve(name);
            if (Files.isRegularFile(file)) {
                return file.toString().replace('\\', '/');
            }
        }
        return name;
    }
}
