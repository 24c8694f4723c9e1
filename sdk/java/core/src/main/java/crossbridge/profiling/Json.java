package crossbridge.profiling;

import java.util.Map;

/** Builds one JSON object. Text must be storable already. One thread at a time. */
final class Json {
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private final StringBuilder out = new StringBuilder(256).append('{');

    /** Adds a member; maps of strings, strings, booleans and numbers are known, null is null. */
    Json put(String name, Object value) {
        if (out.length() > 1) {
            out.append(',');
        }
        out.append('"').append(name).append("\":");
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
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c >= ' ') {
                out.append(c);
            } else {
                out.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
            }
        }
        out.append('"');
    }
}
