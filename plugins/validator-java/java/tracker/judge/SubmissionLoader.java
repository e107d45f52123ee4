package tracker.judge;

import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;

/** Loads a submission's classes. They see the JDK, each other and nothing of the tests or the judge. */
final class SubmissionLoader extends ClassLoader {
    private static final List<String> RESOURCES = List.of("src/main/resources/", "src/test/resources/", "", "resources/", "src/main/java/", "src/test/java/");
    /** Marks the classes of submissions that share their process with tests. */
    static final ProtectionDomain DOMAIN = new ProtectionDomain(null, null);
    private final Map<String, byte[]> classes;
    private final boolean woven;

    SubmissionLoader(Map<String, byte[]> classes, boolean woven) {
        super("submission", ClassLoader.getPlatformClassLoader());
        this.classes = classes;
        this.woven = woven;
    }

    boolean has(String name) { return classes.containsKey(name); }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (woven && name.equals("tracker.guest.Equal")) return tracker.guest.Equal.class;
        // The JDK's reflection makes classes below any loader that extend its own.
        if (woven && !name.startsWith("jdk.internal.reflect.") && Weave.isForbidden(name.replace('.', '/'))) throw new ClassNotFoundException(name + " is not allowed here");
        synchronized (getClassLoadingLock(name)) {
            Class<?> c = findLoadedClass(name);
            byte[] code = c == null ? classes.get(name) : null;
            if (code != null) {
                byte[] ready = woven ? Weave.submission(code) : code;
                c = defineClass(name, ready, 0, ready.length, woven ? DOMAIN : null);
            }
            return c != null ? c : super.loadClass(name, resolve);
        }
    }

    /** A file of the task or the submission, wherever such files may lie. */
    static URL file(String name) {
        for (String dir : RESOURCES) {
            Path p = Path.of("/room", dir + name).normalize();
            if (p.startsWith("/room") && !p.startsWith("/room/.judge") && !name.startsWith("META-INF/") && Files.isRegularFile(p)) {
                try {
                    return p.toUri().toURL();
                } catch (MalformedURLException e) {
                    return null;
                }
            }
        }
        return null;
    }

    @Override
    protected URL findResource(String name) { return file(name); }

    @Override
    protected Enumeration<URL> findResources(String name) {
        URL u = file(name);
        return u == null ? Collections.emptyEnumeration() : Collections.enumeration(List.of(u));
    }
}
