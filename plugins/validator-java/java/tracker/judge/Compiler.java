package tracker.judge;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ImportTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

/** Compiles in this process; what it has read of the JDK and the libraries it keeps. */
final class Compiler {
    /** Room for sources that nest deeply. */
    private static final long STACK = 64L << 20;
    private static final List<String> LINT = List.of("-proc:none", "-g", "-Xmaxerrs", "100", "-Xmaxwarns", "100",
        "-Xlint:all,-processing,-classfile,-path,-options,-serial");
    private static final List<String> QUIET = List.of("-proc:none", "-g", "-nowarn", "-parameters");

    private static final List<String> MARKS = List.of("Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "TestTemplate");

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final JavaFileManager files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8);

    /** What came of a compilation. */
    static final class Result {
        boolean ok;
        /** The sources are not even well-formed. */
        boolean parseFailed;
        /** Why the compiler gave up, if it did. */
        String gaveUp;
        final List<Map<String, Object>> diagnostics = new ArrayList<>();
        Map<String, byte[]> classes = Map.of();
        /** Source path by class name. */
        final Map<String, String> sources = new HashMap<>();
        /** Where classes and methods begin, as "pack.Outer$Inner" and "pack.Outer$Inner#method". */
        final Map<String, Long> lines = new HashMap<>();
        /** What each package's sources import on demand. */
        final Map<String, List<String>> onDemand = new HashMap<>();
        /** Methods that look like tests, for a report when none can run. */
        final List<Object> marked = new ArrayList<>();
    }

    /** Compiles sources against given classes, and against the libraries if they may be used. */
    Result compile(Map<String, String> sources, Map<String, byte[]> given, boolean tests) {
        Result r = new Result();
        Thread t = new Thread(null, () -> {
            try {
                run(r, sources, given, tests);
            } catch (Throwable e) { // the compiler's own, such as a stack that overflows
                r.ok = false;
                r.gaveUp = String.valueOf(e);
            }
        }, "compiler", STACK);
        t.start();
        try {
            t.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return r;
    }

    private void run(Result r, Map<String, String> sources, Map<String, byte[]> given, boolean tests) throws IOException {
        MemoryFiles memory = new MemoryFiles(files, tests, given);
        List<JavaFileObject> units = new ArrayList<>();
        sources.forEach((path, text) -> units.add(new MemoryFiles.Source(path, text)));
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        JavacTask task = (JavacTask) compiler.getTask(null, memory, said, tests ? QUIET : LINT, null, units);
        Trees trees = Trees.instance(task);
        for (CompilationUnitTree unit : task.parse()) look(r, unit, trees);
        r.parseFailed = !noErrors(said);
        if (!r.parseFailed) {
            task.analyze();
            if (noErrors(said)) task.generate();
        }
        r.ok = noErrors(said);
        for (Diagnostic<? extends JavaFileObject> d : said.getDiagnostics()) {
            if (r.diagnostics.size() < 200) r.diagnostics.add(describe(d));
        }
        r.classes = memory.classes();
        memory.made.forEach((name, out) -> r.sources.put(name, out.source));
    }

    private static boolean noErrors(DiagnosticCollector<?> said) {
        return said.getDiagnostics().stream().noneMatch(d -> d.getKind() == Diagnostic.Kind.ERROR);
    }

    private static void look(Result r, CompilationUnitTree unit, Trees trees) {
        String pack = unit.getPackageName() == null ? "" : unit.getPackageName().toString();
        List<String> wide = r.onDemand.computeIfAbsent(pack, k -> new ArrayList<>());
        for (ImportTree i : unit.getImports()) {
            String name = i.getQualifiedIdentifier().toString();
            if (!i.isStatic() && name.endsWith(".*")) wide.add(name.substring(0, name.length() - 2));
        }
        Deque<String> names = new ArrayDeque<>();
        new TreePathScanner<Void, Void>() {
            private void mark(String key, com.sun.source.tree.Tree at) {
                long pos = trees.getSourcePositions().getStartPosition(unit, at);
                if (pos >= 0) r.lines.putIfAbsent(key, unit.getLineMap().getLineNumber(pos));
            }

            @Override
            public Void visitClass(ClassTree c, Void v) {
                String simple = c.getSimpleName().toString();
                names.addLast(names.isEmpty() ? (pack.isEmpty() ? simple : pack + "." + simple) : names.peekLast() + "$" + simple);
                mark(names.peekLast(), c);
                super.visitClass(c, v);
                names.removeLast();
                return null;
            }

            @Override
            public Void visitMethod(MethodTree m, Void v) {
                mark(names.peekLast() + "#" + m.getName(), m);
                boolean test = m.getModifiers().getAnnotations().stream().anyMatch(a -> MARKS.contains(a.getAnnotationType().toString()));
                if (test) r.marked.add(Json.object("id", names.peekLast().replace("$", "::") + "::" + m.getName(), "name", m.getName().toString()));
                return null;
            }
        }.scan(unit, null);
    }

    private static Map<String, Object> describe(Diagnostic<? extends JavaFileObject> d) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("code", String.valueOf(d.getCode()));
        m.put("error", d.getKind() == Diagnostic.Kind.ERROR);
        m.put("message", d.getMessage(Locale.ROOT));
        if (!(d.getSource() instanceof MemoryFiles.Source s)) return m;
        m.put("file", s.path);
        int at = (int) d.getPosition();
        if (at < 0 || at > s.text.length()) return m;
        place(m, s.text, at, "line", "column");
        int end = (int) d.getEndPosition();
        if (end > at && end <= s.text.length() && d.getStartPosition() == at) place(m, s.text, end, "end_line", "end_column");
        int from = s.text.lastIndexOf('\n', at - 1) + 1;
        int to = s.text.indexOf('\n', at);
        m.put("text", s.text.substring(from, Math.max(from, to < 0 ? s.text.length() : to)).stripTrailing());
        return m;
    }

    /** Columns count code points, from 1. */
    private static void place(Map<String, Object> m, String text, int at, String line, String column) {
        int n = 1;
        int from = 0;
        for (int i = 0; i < at; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' && (i + 1 >= text.length() || text.charAt(i + 1) != '\n')) {
                n++;
                from = i + 1;
            }
        }
        m.put(line, n);
        m.put(column, text.codePointCount(from, at) + 1);
    }
}
