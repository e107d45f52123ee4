package tracker.judge;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardLocation;

/** Keeps what is compiled in memory, and shows earlier results as part of the class path. */
final class MemoryFiles extends ForwardingJavaFileManager<JavaFileManager> {
    /** Packages that come with the judge and can't be replaced. */
    static final List<String> LIBRARIES = List.of("org.junit.", "org.assertj.", "org.opentest4j.", "org.apiguardian.", "org.hamcrest.", "junit.", "net.bytebuddy.", "tracker.");

    private final boolean libraries;
    private final Map<String, byte[]> given;
    final Map<String, Out> made = new LinkedHashMap<>();

    MemoryFiles(JavaFileManager under, boolean libraries, Map<String, byte[]> given) {
        super(under);
        this.libraries = libraries;
        this.given = given;
    }

    static boolean isLibrary(String className) {
        for (String p : LIBRARIES) if (className.startsWith(p)) return true;
        return false;
    }

    @Override
    public Iterable<JavaFileObject> list(Location location, String pack, Set<JavaFileObject.Kind> kinds, boolean recurse) throws IOException {
        if (location != StandardLocation.CLASS_PATH) return super.list(location, pack, kinds, recurse);
        List<JavaFileObject> all = new ArrayList<>();
        if (libraries && !pack.startsWith("tracker")) for (JavaFileObject f : super.list(location, pack, kinds, recurse)) all.add(f);
        if (!kinds.contains(JavaFileObject.Kind.CLASS) || isLibrary(pack + ".")) return all;
        for (Map.Entry<String, byte[]> e : given.entrySet()) {
            int dot = e.getKey().lastIndexOf('.');
            String of = dot < 0 ? "" : e.getKey().substring(0, dot);
            if (of.equals(pack) || recurse && of.startsWith(pack + ".")) all.add(new In(e.getKey(), e.getValue()));
        }
        return all;
    }

    @Override
    public String inferBinaryName(Location location, JavaFileObject file) {
        return file instanceof In in ? in.className : super.inferBinaryName(location, file);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
        Out out = new Out(className, sibling instanceof Source s ? s.path : "");
        made.put(className, out);
        return out;
    }

    /** The compiled classes by name. */
    Map<String, byte[]> classes() {
        Map<String, byte[]> all = new LinkedHashMap<>();
        made.forEach((name, out) -> all.put(name, out.bytes.toByteArray()));
        return all;
    }

    static URI uri(String scheme, String path) {
        try {
            return new URI(scheme, null, "/" + path, null);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A source file. */
    static final class Source extends SimpleJavaFileObject {
        final String path;
        final String text;

        Source(String path, String text) {
            super(uri("source", path), Kind.SOURCE);
            this.path = path;
            this.text = text.startsWith("\ufeff") ? text.substring(1) : text;
        }

        @Override
        public CharSequence getCharContent(boolean ignore) { return text; }
    }

    private static final class In extends SimpleJavaFileObject {
        final String className;
        private final byte[] bytes;

        In(String className, byte[] bytes) {
            super(uri("class", className.replace('.', '/') + ".class"), Kind.CLASS);
            this.className = className;
            this.bytes = bytes;
        }

        @Override
        public InputStream openInputStream() { return new ByteArrayInputStream(bytes); }
    }

    /** A compiled class, with the source that it is from. */
    static final class Out extends SimpleJavaFileObject {
        final String source;
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Out(String className, String source) {
            super(uri("class", className.replace('.', '/') + ".class"), Kind.CLASS);
            this.source = source;
        }

        @Override
        public OutputStream openOutputStream() { return bytes; }
    }
}
