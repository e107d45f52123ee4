package tracker.judge;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.MultipleFailuresError;
import org.opentest4j.ValueWrapper;

/** Says what an exception is and where it came from. What the submission's classes say of themselves may fail. */
final class Failures {
    private static final int MOST = 4000;
    private final Map<String, String> files;
    private final Map<String, String> sources;
    private final Map<String, String> testFiles;
    /** What kept classes from being initialized, by name: later uses only say that it failed. */
    private final Map<String, Throwable> initializers = new HashMap<>();

    /** Source paths by class name, and the sources; then the same of the tests. */
    Failures(Map<String, String> files, Map<String, String> sources, Map<String, String> testFiles) {
        this.files = files;
        this.sources = sources;
        this.testFiles = testFiles;
    }

    Map<String, Object> describe(Throwable thrown) {
        Throwable t = root(thrown);
        Map<String, Object> m = Json.object("type", t.getClass().getName(), "message", cut(message(t)), "class", kind(t));
        StackTraceElement[] trace = t.getStackTrace();
        for (StackTraceElement e : trace) {
            String file = files.get(e.getClassName());
            if (file != null && e.getLineNumber() > 0) {
                m.put("learner", Json.object("file", file, "line", e.getLineNumber(), "text", lineOf(sources.get(file), e.getLineNumber())));
                break;
            }
        }
        for (StackTraceElement e : trace) {
            String file = testFiles.get(e.getClassName());
            if (file != null && e.getLineNumber() > 0) {
                m.put("test", Json.object("file", file, "line", e.getLineNumber()));
                break;
            }
        }
        if (trace.length > 0) m.put("thrower", trace[0].getClassName());
        compared(m, t);
        return m;
    }

    private void compared(Map<String, Object> m, Throwable t) {
        if (t instanceof AssertionFailedError a) {
            if (a.isExpectedDefined()) m.put("expected", value(a.getExpected(), a));
            if (a.isActualDefined()) m.put("actual", value(a.getActual(), a));
        } else if (t instanceof MultipleFailuresError all) {
            List<Object> each = new ArrayList<>();
            for (Throwable f : all.getFailures()) {
                if (each.size() < 5) each.add(describe(f));
            }
            m.put("failures", each);
        } else if (t.getClass().getName().equals("org.junit.ComparisonFailure")) {
            m.put("expected", '"' + ((org.junit.ComparisonFailure) t).getExpected() + '"');
            m.put("actual", '"' + ((org.junit.ComparisonFailure) t).getActual() + '"');
        }
    }

    private Throwable root(Throwable t) {
        for (int i = 0; i < 20; i++) {
            boolean wraps = t instanceof ExceptionInInitializerError || t instanceof InvocationTargetException
                || t.getClass().getName().equals("org.junit.jupiter.api.extension.ParameterResolutionException");
            if (t instanceof ExceptionInInitializerError && t.getCause() != null) remember(t.getCause());
            if (t instanceof NoClassDefFoundError && initializers.containsKey(uninitialized(t))) return initializers.get(uninitialized(t));
            if (!wraps || t.getCause() == null) break;
            t = t.getCause();
        }
        return t;
    }

    private void remember(Throwable cause) {
        for (StackTraceElement e : cause.getStackTrace()) {
            if (e.getMethodName().equals("<clinit>")) initializers.putIfAbsent(e.getClassName(), cause);
        }
    }

    private static String uninitialized(Throwable t) { return message(t).replace("Could not initialize class ", ""); }

    /** Whose exception it is: of a check, of the JDK, or of the submission's own classes. */
    private String kind(Throwable t) {
        if (t instanceof AssertionError && !files.containsKey(t.getClass().getName())) return "check";
        if (t instanceof Guard.Exit) return "exit";
        return "";
    }

    private static String value(ValueWrapper w, Throwable t) {
        if (w.getValue() instanceof Class<?> c) return c.getSimpleName();
        // AssertJ hands over texts that already look like code.
        if (w.getValue() instanceof String s && !message(t).contains("\n but was: "))  return '"' + cut(s) + '"';
        return cut(String.valueOf(w.getStringRepresentation()));
    }

    private static String message(Throwable t) {
        try {
            String s = t.getMessage();
            return s == null ? "" : s;
        } catch (Throwable e) {
            return "";
        }
    }

    static String cut(String s) { return s.length() > MOST ? s.substring(0, MOST) + " …" : s; }

    private static String lineOf(String source, int line) {
        if (source == null) return "";
        return source.lines().skip(line - 1L).findFirst().orElse("").strip();
    }
}
