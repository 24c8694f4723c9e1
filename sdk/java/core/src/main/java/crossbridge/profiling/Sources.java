package crossbridge.profiling;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Where a class's source lies in a project laid out as Maven and Gradle have it. Any thread. */
final class Sources {
    private static final List<String> LANGUAGES = List.of("java", "kotlin:kt", "groovy", "scala");
    private final Path module = Path.of("").toAbsolutePath();
    private final Path projectRoot;
    private final Map<String, Optional<String>> found = new ConcurrentHashMap<>();

    Sources(Path projectRoot) {
        this.projectRoot = projectRoot;
    }

    /** Returns the file's path from the project root, or null where it is not at its usual place. */
    String file(String className) {
        return found.computeIfAbsent(className, this::find).orElse(null);
    }

    private Optional<String> find(String nested) {
        String className = nested.replaceFirst("\\$.*", "");
        for (String language : LANGUAGES) {
            String[] folderAndEnding = (language + ":" + language).split(":");
            Path file = module.resolve("src/test/" + folderAndEnding[0])
                .resolve(className.replace('.', '/') + "." + folderAndEnding[1]);
            if (Files.isRegularFile(file) && file.startsWith(projectRoot)) {
                return Optional.of(projectRoot.relativize(file).toString().replace('\\', '/'));
            }
        }
        return Optional.empty();
    }
}
