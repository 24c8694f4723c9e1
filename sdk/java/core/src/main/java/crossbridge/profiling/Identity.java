package crossbridge.profiling;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names that are the same from run to run and carry no secret: {@code spec/identity.md}. Any thread. */
public final class Identity {
    private static final Pattern ADDRESS = Pattern.compile(" at 0x[0-9A-Fa-f]+");
    private static final Pattern JAVA_HASH =
        Pattern.compile("(?U)(?<=[\\w$;])@(?=[a-f]*[0-9])[0-9a-f]{5,8}(?![\\w.@-])");
    private static final Pattern AUTHORITY =
        Pattern.compile("(?s)(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/]*)(.*)");
    private static final Pattern OPAQUE = Pattern.compile("(?d)([A-Za-z][A-Za-z0-9+.-]*):(?![0-9]+(?:/|$))");
    private static final Map<String, String> DEFAULT_PORTS =
        Map.of("http", ":80", "ws", ":80", "https", ":443", "wss", ":443");
    private static final Pattern ID = Pattern.compile("(?d)(?:"
        + "\\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\\}?"
        + "|[0-9]+(?:[-.:,_][0-9]+)*"
        + "|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{16,}"
        + "|(?=[A-Z]*[0-9])[0-9A-Z]{20,}"
        + "|(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9_.~=-]{20,}"
        + "|.+(?:@|%40).+"
        + ")(?=\\.[A-Za-z]{1,5}\\z|\\z)");
    private static final Pattern NUMBERED = Pattern.compile("([A-Za-z]+[-_])[0-9]{2,}\\z");

    private Identity() {}

    /** Returns a framework's name for a test without hash codes and without the project's own folder. */
    public static String testId(String raw, String projectRoot) {
        String name = raw;
        if (projectRoot.length() > 1 && name.contains(projectRoot)) {
            name = withoutRoot(name, projectRoot.replaceAll("/+$", ""));
        }
        if (name.contains("0x")) {
            name = ADDRESS.matcher(name).replaceAll(" at 0x");
        }
        return name.indexOf('@') < 0 ? name : JAVA_HASH.matcher(name).replaceAll("@");
    }

    /** Returns host and path template of a URL: no scheme, user, query or fragment; ids in the path are {id}. */
    public static String endpoint(String address) {
        String url = Texts.strip(address).split("[?#]", 2)[0];
        Matcher authority = AUTHORITY.matcher(url);
        if (authority.lookingAt()) {
            String scheme = authority.group(1) == null ? "" : authority.group(1).toLowerCase(Locale.ROOT);
            if (scheme.equals("file")) {
                return "file:";
            }
            String host = lastPart(authority.group(2)).toLowerCase(Locale.ROOT);
            String port = DEFAULT_PORTS.getOrDefault(scheme, "");
            host = host.endsWith(port) ? host.substring(0, host.length() - port.length()) : host;
            return host + template(authority.group(3).isEmpty() ? "/" : authority.group(3));
        }
        Matcher opaque = OPAQUE.matcher(url);
        if (opaque.lookingAt()) {
            return opaque.group().toLowerCase(Locale.ROOT);
        }
        int slash = url.indexOf('/');
        return slash < 0 ? lastPart(url) : lastPart(url.substring(0, slash)) + template(url.substring(slash));
    }

    private static String withoutRoot(String raw, String root) {
        Pattern whole = Pattern.compile("(?U)(?<![\\w.~/-])" + Pattern.quote(root) + "(?:(/)|(?![\\w.-]))");
        return whole.matcher(raw).replaceAll(match -> match.group(1) == null ? "." : "");
    }

    private static String lastPart(String host) {
        return host.substring(host.lastIndexOf('@') + 1);
    }

    private static String template(String path) {
        StringBuilder all = new StringBuilder();
        for (String part : path.substring(1).split("/", -1)) {
            all.append('/').append(segment(part));
        }
        return all.toString();
    }

    private static String segment(String whole) {
        String part = whole.split(";", 2)[0];
        Matcher id = ID.matcher(part);
        if (id.lookingAt()) {
            return "{id}" + part.substring(id.end());
        }
        Matcher numbered = NUMBERED.matcher(part);
        return numbered.lookingAt() ? numbered.group(1) + "{id}" : part;
    }
}
