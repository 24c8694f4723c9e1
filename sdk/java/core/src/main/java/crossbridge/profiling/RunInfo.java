package crossbridge.profiling;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A run's commit, branch and CI attributes, from files and variables ({@code spec/run_info.md}). Never throws. */
final class RunInfo {
    private static final String COMMIT = "[0-9a-f]{40}|[0-9a-f]{64}";
    private static final Pattern VARIABLE = Pattern.compile("\\{(\\w+)\\}");
    // Name, known by, commit, URL, then the variables that may name the branch.
    private static final List<List<String>> PROVIDERS = List.of(
        List.of("github", "GITHUB_ACTIONS", "GITHUB_SHA",
            "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}", "GITHUB_HEAD_REF",
            "GITHUB_REF_NAME"),
        List.of("gitlab", "GITLAB_CI", "CI_COMMIT_SHA", "{CI_PIPELINE_URL}", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
            "CI_COMMIT_REF_NAME"),
        List.of("jenkins", "JENKINS_URL", "GIT_COMMIT", "{BUILD_URL}", "CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"),
        List.of("azure", "TF_BUILD", "BUILD_SOURCEVERSION", "", "BUILD_SOURCEBRANCHNAME"),
        List.of("circleci", "CIRCLECI", "CIRCLE_SHA1", "{CIRCLE_BUILD_URL}", "CIRCLE_BRANCH"),
        List.of("buildkite", "BUILDKITE", "BUILDKITE_COMMIT", "{BUILDKITE_BUILD_URL}", "BUILDKITE_BRANCH"));

    String commit;
    String branch;
    String provider;
    String url;

    RunInfo(Map<String, String> environ, Path projectRoot) {
        readGit(projectRoot);
        for (List<String> row : PROVIDERS) {
            if (!environ.getOrDefault(row.get(1), "").isEmpty()) {
                readProvider(row, environ);
                return;
            }
        }
    }

    /** The environment under test: as set, else {@code ci} or {@code local}. */
    static String environmentName(String set, Map<String, String> environ) {
        String ci = environ.getOrDefault("CI", "").toLowerCase(Locale.ROOT);
        return set != null ? set : List.of("", "0", "false").contains(ci) ? "local" : "ci";
    }

    private void readProvider(List<String> row, Map<String, String> environ) {
        provider = row.get(0);
        String named = environ.getOrDefault(row.get(2), "");
        commit = named.isEmpty() ? commit : named;
        for (String name : row.subList(4, row.size())) {
            String found = environ.getOrDefault(name, "");
            if (!found.isEmpty()) {
                branch = provider.equals("jenkins") ? found.replaceFirst("^origin/", "") : found;
                break;
            }
        }
        url = withoutUser(filled(row.get(3), environ));
    }

    private static String filled(String template, Map<String, String> environ) {
        Matcher names = VARIABLE.matcher(template);
        StringBuilder filled = new StringBuilder();
        while (names.find()) {
            if (!environ.containsKey(names.group(1))) {
                return "";
            }
            names.appendReplacement(filled, Matcher.quoteReplacement(environ.get(names.group(1))));
        }
        return names.appendTail(filled).toString();
    }

    private static String withoutUser(String url) {
        int host = url.indexOf("://") + 3;
        if (host > 2) {
            int slash = url.indexOf('/', host) < 0 ? url.length() : url.indexOf('/', host);
            int at = url.lastIndexOf('@', slash - 1);
            return at < host ? url : url.substring(0, host) + url.substring(at + 1);
        }
        return url.isEmpty() ? null : url;
    }

    private void readGit(Path projectRoot) {
        Path git = gitFolder(projectRoot);
        String head = git == null ? null : line(git.resolve("HEAD"));
        if (head == null) {
            return;
        }
        if (!head.startsWith("ref: ")) {
            commit = head.matches(COMMIT) ? head : null;
            return;
        }
        String ref = head.substring(5);
        String common = line(git.resolve("commondir"));
        Path refs = common == null ? git : git.resolve(common);
        String found = line(refs.resolve(ref));
        found = found == null ? packed(refs, ref) : found;
        commit = found != null && found.matches(COMMIT) ? found : null;
        branch = ref.replaceFirst("^refs/heads/", "");
    }

    private static Path gitFolder(Path start) {
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            String pointer = line(folder.resolve(".git"));
            if (pointer != null && pointer.startsWith("gitdir: ")) {
                return folder.resolve(pointer.substring(8));
            }
            if (line(folder.resolve(".git/HEAD")) != null) {
                return folder.resolve(".git");
            }
        }
        return null;
    }

    private static String packed(Path git, String ref) {
        for (String line : text(git.resolve("packed-refs")).split("\n")) {
            String[] parts = line.split(" ", 2);
            if (parts.length == 2 && parts[1].equals(ref)) {
                return parts[0];
            }
        }
        return null;
    }

    private static String line(Path path) {
        String first = Texts.strip(text(path)).split("\\R", 2)[0];
        return first.isEmpty() ? null : first;
    }

    private static String text(Path path) {
        try {
            return Files.isRegularFile(path) ? new String(Files.readAllBytes(path), StandardCharsets.UTF_8) : "";
        } catch (IOException error) {
            return "";
        }
    }
}
