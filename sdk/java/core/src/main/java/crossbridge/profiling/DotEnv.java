package crossbridge.profiling;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reading {@code .env}, by the grammar of {@code spec/dotenv.md}. */
final class DotEnv {
    private static final Pattern LINE = Pattern.compile("(?Ud)[^\\S\\n]*(?:export[^\\S\\n]+)?"
        + "(?<name>[A-Za-z_][A-Za-z0-9_]*)[^\\S\\n]*=[^\\S\\n]*"
        + "(?:'(?<single>[^'\\n]*)'|\"(?<double>(?:[^\"\\\\\\n]|\\\\.)*+)\"|(?<bare>(?!['\"])[^\\n]*?))"
        + "[^\\S\\n]*(?:(?<=\\s)#[^\\n]*|(?<=['\"=])#[^\\n]*)?\\r?\\z");

    private DotEnv() {}

    /** Returns the assignments: the last one of a name counts, other lines are passed over. */
    static Map<String, String> parse(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : (text.startsWith("\ufeff") ? text.substring(1) : text).split("\n", -1)) {
            Matcher match = LINE.matcher(line);
            if (match.lookingAt()) {
                values.put(match.group("name"), value(match));
            }
        }
        return values;
    }

    private static String value(Matcher match) {
        if (match.group("single") != null) {
            return match.group("single");
        }
        return match.group("double") == null ? Texts.strip(match.group("bare")) : unescaped(match.group("double"));
    }

    private static String unescaped(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                c = text.charAt(++i);
                c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
            }
            plain.append(c);
        }
        return plain.toString();
    }
}
