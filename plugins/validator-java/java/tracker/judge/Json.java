package tracker.judge;

import java.util.LinkedHashMap;
import java.util.Map;

/** Writes JSON; the JDK has no writer of its own. */
final class Json {
    private Json() { }

    /** An object of alternating keys and values; values that are null are left out. */
    static Map<String, Object> object(Object... pairs) {
        Map<String, Object> m = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i + 1] != null) m.put((String) pairs[i], pairs[i + 1]);
        }
        return m;
    }

    static String write(Object value) {
        StringBuilder b = new StringBuilder(256);
        append(b, value);
        return b.toString();
    }

    private static void append(StringBuilder b, Object v) {
        if (v instanceof String s) {
            text(b, s);
        } else if (v instanceof Map<?, ?> m) {
            char sep = '{';
            for (Map.Entry<?, ?> e : m.entrySet()) {
                b.append(sep);
                text(b, String.valueOf(e.getKey()));
                b.append(':');
                append(b, e.getValue());
                sep = ',';
            }
            b.append(sep == '{' ? "{}" : "}");
        } else if (v instanceof Iterable<?> list) {
            char sep = '[';
            for (Object x : list) {
                b.append(sep);
                append(b, x);
                sep = ',';
            }
            b.append(sep == '[' ? "[]" : "]");
        } else {
            b.append(v); // numbers, booleans, null
        }
    }

    private static void text(StringBuilder b, String s) {
        b.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"' -> b.append("\\\"");
                case '\\' -> b.append("\\\\");
                case '\n' -> b.append("\\n");
                case '\r' -> b.append("\\r");
                case '\t' -> b.append("\\t");
                default -> {
                    if (c < ' ' || Character.isSurrogate(c) && !paired(s, i)) b.append(String.format("\\u%04x", (int) c));
                    else b.append(c);
                }
            }
        }
        b.append('"');
    }

    private static boolean paired(String s, int i) {
        return Character.isHighSurrogate(s.charAt(i)) ? i + 1 < s.length() && Character.isLowSurrogate(s.charAt(i + 1))
            : i > 0 && Character.isHighSurrogate(s.charAt(i - 1));
    }
}
