package tracker.judge;

import java.net.URL;
import java.util.Map;

/** Loads the tests: they see the libraries, then the submission, which can't stand in for those. */
final class TestLoader extends ClassLoader {
    private final Map<String, byte[]> classes;
    private final ClassLoader submission;
    private final Map<String, byte[]> theirs;

    TestLoader(Map<String, byte[]> classes, ClassLoader submission, Map<String, byte[]> theirs) {
        super("tests", TestLoader.class.getClassLoader());
        this.classes = classes;
        this.submission = submission;
        this.theirs = theirs;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> c = findLoadedClass(name);
            if (c != null) return c;
            byte[] code = classes.get(name);
            if (code != null) return defineClass(name, code, 0, code.length);
            if (theirs.containsKey(name) && !MemoryFiles.isLibrary(name)) return submission.loadClass(name);
            return super.loadClass(name, resolve);
        }
    }

    @Override
    protected URL findResource(String name) { return SubmissionLoader.file(name); }
}
