package crossbridge.profiling;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Builds one JSON object. Text must be storable already. One thread at a time. */
final class Json {
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private final StringBuilder out = new StringBuilder(256).append('{');

    /** Adds a member; maps of strings, strings, booleans and numbers are known, null is null. */
    Json put(String name, Object value) {
        out.append(out.length() > 1 ? ",\"" : "\"").append(name).append("\":");
        write(value);
        return this;
    }

    Json putUnless(Object omitted, String name, Object value) {
        return value == null || value.equals(omitted) ? this : put(name, value);
    }

    @Override
    public String toString() {
        return out + "}";
    }

    /** Adds text that is storable as it is and needs no escape; returns false where it is not. */
    boolean putPlain(String name, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || c >= Character.MIN_SURROGATE) {
                return false;
            }
        }
        out.append(out.length() > 1 ? ",\"" : "\"").append(name).append("\":\"").append(text).append('"');
        return true;
    }

    /** Returns the object as a line; nothing can be added any more. */
    byte[] line() {
        return out.append("}\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    private void write(Object value) {
        if (value instanceof String) {
            text((String) value);
        } else if (value instanceof Map) {
            String before = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                out.append(before);
                text((String) entry.getKey());
                out.append(':');
                text((String) entry.getValue());
                before = ",";
            }
            out.append(before.equals("{") ? "{}" : "}");
        } else if (value instanceof Double && !Double.isFinite((Double) value)) {
            out.append("null");
        } else {
            out.append(value);
        }
    }

    private void text(String text) {
        out.append('"');
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\' || c < ' ') {
                out.append(text, from, i);
                from = i + 1;
                if (c < ' ') {
                    out.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
                } else {
                    out.append('\\').append(c);
                }
            }
        }
        (from == 0 ? out.append(text) : out.append(text, from, text.length())).append('"');
    }
}
