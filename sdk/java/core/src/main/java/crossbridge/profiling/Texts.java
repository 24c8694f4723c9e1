package crossbridge.profiling;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Making text storable ({@code spec/sanitising.md}), and white space as Python knows it. Any thread. */
final class Texts {
    private static final int NAME_LIMIT_BYTES = 1000;
    /** Of so many chars no text is too long. */
    static final int SHORT = NAME_LIMIT_BYTES / 3;
    private static final int MESSAGE_LIMIT_BYTES = 8000;
    private static final int HASH_DIGITS = 20;

    private Texts() {}

    /** Replaces NUL and lone surrogates by U+FFFD and cuts what is over-long. */
    static String name(String text) {
        String clean = storable(text);
        if (clean.length() <= SHORT) {
            return clean;
        }
        byte[] encoded = clean.getBytes(StandardCharsets.UTF_8);
        if (encoded.length <= NAME_LIMIT_BYTES) {
            return clean;
        }
        return prefix(encoded, NAME_LIMIT_BYTES - HASH_DIGITS - 1) + "~" + digest(encoded);
    }

    /** The same for {@code error_message} and {@code error}, which may be longer. */
    static String message(String text) {
        String clean = storable(text);
        if (clean.length() * 3 <= MESSAGE_LIMIT_BYTES) {
            return clean;
        }
        byte[] encoded = clean.getBytes(StandardCharsets.UTF_8);
        return encoded.length <= MESSAGE_LIMIT_BYTES ? clean : prefix(encoded, MESSAGE_LIMIT_BYTES - 3) + "…";
    }

    private static String storable(String text) {
        StringBuilder changed = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < Character.MIN_SURROGATE && c != 0) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (c == 0 || Character.isSurrogate(c)) {
                changed = changed == null ? new StringBuilder(text) : changed;
                changed.setCharAt(i, '\ufffd');
            }
        }
        return changed == null ? text : changed.toString();
    }

    private static String prefix(byte[] encoded, int limit) {
        int end = limit;
        while ((encoded[end] & 0xC0) == 0x80) {
            end--;
        }
        return new String(encoded, 0, end, StandardCharsets.UTF_8);
    }

    private static String digest(byte[] encoded) {
        try {
            StringBuilder digits = new StringBuilder();
            for (byte each : MessageDigest.getInstance("SHA-256").digest(encoded)) {
                digits.append(String.format("%02x", each));
            }
            return digits.substring(0, HASH_DIGITS);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every JVM has it
        }
    }

    static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    static boolean isSpace(char c) {
        return (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= ' ') || c == 0x85 || c == 0xa0
            || (c > 0x7f && Character.isSpaceChar(c));
    }
}
