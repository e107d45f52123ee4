package tracker.judge;

import java.nio.file.Path;
import java.security.Permission;
import java.util.List;

/**
 * Keeps a submission, when it shares this process with the tests, from ending it, from breaking
 * into other classes and from the run's files. It asks who is on the stack, up to where the JDK
 * vouches for itself; everything else may do everything.
 */
@SuppressWarnings("removal")
final class Guard extends SecurityManager {
    /** Thrown instead of ending the program. */
    static final class Exit extends SecurityException {
        private static final long serialVersionUID = 1;

        Exit() { super("System.exit() was called"); }
    }

    /** Names of java.lang.RuntimePermission, or their beginnings. */
    private static final List<String> RUNTIME = List.of("setSecurityManager", "createSecurityManager", "createClassLoader", "getClassLoader",
        "shutdownHooks", "loadLibrary.", "getStackWalkerWithClassReference", "enableContextClassLoaderOverride", "stopThread", "defineClassInPackage.",
        "manageProcess", "accessClassInPackage.", "getStackTrace", "setContextClassLoader", "jdk.");
    private static final List<String> PERMISSIONS = List.of("java.lang.reflect.ReflectPermission", "java.nio.file.LinkPermission",
        "java.lang.management.ManagementPermission", "java.security.SecurityPermission", "com.sun.tools.attach.AttachPermission",
        "jdk.jfr.FlightRecorderPermission", "javax.management.MBeanServerPermission", "javax.management.MBeanPermission", "javax.management.MBeanTrustPermission");
    private static final List<String> HIDDEN = List.of("/proc", "/sys", "/room/.judge", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr");

    private static boolean set;

    /** Puts the guard up where this JDK still has such a thing (up to 23). */
    static boolean up() {
        if (!set) {
            try {
                System.setSecurityManager(new Guard());
                set = true;
            } catch (UnsupportedOperationException gone) {
                return false;
            }
        }
        return set;
    }

    /** Ends the process, whoever is on the stack. */
    static void halt(int code) {
        java.security.AccessController.doPrivileged((java.security.PrivilegedAction<Void>) () -> {
            Runtime.getRuntime().halt(code);
            return null;
        });
    }

    /** Whether code of the submission wants this, and no code of the JDK on its own account. */
    private boolean submissionAsks() {
        Class<?>[] stack = getClassContext();
        for (int i = 0; i < stack.length; i++) {
            if (submissions(stack[i])) return true;
            if (stack[i] == java.security.AccessController.class) {
                while (i < stack.length && stack[i] == java.security.AccessController.class) i++;
                return i < stack.length && submissions(stack[i]);
            }
        }
        return false;
    }

    /** Asked by domain, as asking for the loader would be a question to this guard again. */
    private static boolean submissions(Class<?> c) { return c.getProtectionDomain() == SubmissionLoader.DOMAIN; }

    private void deny(String what) {
        if (submissionAsks()) throw new SecurityException("not allowed here: " + what);
    }

    @Override
    public void checkPermission(Permission p) {
        String type = p.getClass().getName();
        if (type.equals("java.lang.RuntimePermission")) {
            for (String n : RUNTIME) {
                if (p.getName().startsWith(n)) deny(p.getName());
            }
        } else if (type.equals("java.io.FilePermission")) {
            if (p.getActions().contains("execute")) deny("starting programs");
            else file(p.getName());
        } else if (PERMISSIONS.contains(type)) {
            deny(p.getName());
        }
    }

    @Override
    public void checkPermission(Permission p, Object context) { checkPermission(p); }

    @Override
    public void checkExit(int status) {
        if (submissionAsks()) throw new Exit();
    }

    @Override
    public void checkExec(String program) { deny("starting programs"); }

    @Override
    public void checkRead(String name) { file(name); }

    @Override
    public void checkRead(String name, Object context) { file(name); }

    @Override
    public void checkWrite(String name) { file(name); }

    @Override
    public void checkDelete(String name) { file(name); }

    private void file(String name) {
        String path;
        try {
            path = Path.of("/room").resolve(name).normalize().toString();
        } catch (RuntimeException unfit) {
            return; // no path, so nothing is opened
        }
        for (String h : HIDDEN) {
            if (path.startsWith(h)) deny(name);
        }
    }

    @Override
    public void checkPackageAccess(String pack) { }

    @Override
    public void checkAccess(Thread t) { }

    @Override
    public void checkAccess(ThreadGroup g) { }
}
