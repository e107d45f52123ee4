package tracker.judge;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;

/** Runs a submission's main method as `java` would. It may do what any program may. */
final class Program {
    private Program() { }

    static int run(Job job, Compiler.Result main, Events events) {
        String entry = null;
        SubmissionLoader loader = new SubmissionLoader(main.classes, false);
        Method method = null;
        for (Map.Entry<String, String> c : main.sources.entrySet()) {
            Method m = mainOf(loader, c.getKey());
            if (m == null) continue;
            boolean wanted = c.getValue().equals(job.get("entry"));
            if (entry == null || wanted || !c.getValue().equals(job.get("entry")) && rank(c.getKey()) < rank(entry)) {
                entry = c.getKey();
                method = m;
            }
            if (wanted) break;
        }
        events.emit("kind", "program", "name", entry);
        if (method == null) return Session.ENDED;
        Thread.currentThread().setContextClassLoader(loader);
        try {
            method.setAccessible(true);
            method.invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException e) {
            e.getCause().printStackTrace();
            events.emit("kind", "thrown", "failure", new Failures(main.sources, job.main, Map.of()).describe(e.getCause()));
            return 1;
        } catch (ReflectiveOperationException | LinkageError e) {
            e.printStackTrace();
            events.emit("kind", "thrown", "failure", new Failures(main.sources, job.main, Map.of()).describe(e));
            return 1;
        }
        return Session.ENDED;
    }

    private static int rank(String name) { return name.equals("Main") ? 0 : name.endsWith(".Main") ? 1 : name.endsWith("App") || name.endsWith("Application") ? 2 : 3; }

    private static Method mainOf(ClassLoader loader, String name) {
        try {
            Method m = Class.forName(name, false, loader).getDeclaredMethod("main", String[].class);
            return Modifier.isStatic(m.getModifiers()) && Modifier.isPublic(m.getModifiers()) && m.getReturnType() == void.class ? m : null;
        } catch (ReflectiveOperationException | LinkageError e) {
            return null;
        }
    }
}
