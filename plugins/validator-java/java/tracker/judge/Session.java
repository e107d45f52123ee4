package tracker.judge;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** One submission: compiled, then run with its tests in this process, or without tests. */
final class Session {
    static final String EVENTS = "/room/.judge/events";
    /** Exit codes; they explain, and decide nothing. */
    static final int ENDED = 0, STOPPED = 3, MEMORY = 4, OUTPUT = 5, TIME = 6;

    private final Job job;
    private final Compiler compiler;
    private final Events events;
    Compiler.Result main;
    private Compiler.Result tests;

    Session(Job job, Compiler compiler, String eventsPath) throws IOException {
        this.job = job;
        this.compiler = compiler;
        events = new Events(eventsPath, job.get("nonce"));
    }

    /** Does the job; the answer is the exit code. */
    int run() {
        events.emit("kind", "hello", "versions", Json.object("java", System.getProperty("java.version")));
        main = compiler.compile(job.main, Map.of(), false);
        events.emit("kind", "compiled", "of", "submission", "ok", main.ok, "gave_up", main.gaveUp, "diagnostics", main.diagnostics);
        if (!main.ok) return STOPPED;
        // The JDK looks for its generators once, by a loader that must see all of its modules.
        if (job.main.values().stream().anyMatch(text -> text.contains("RandomGenerator"))) RandomGenerator.getDefault();
        if (job.get("mode").equals("program")) return Program.run(job, main, events);
        if (refused()) return STOPPED;
        tests = compiler.compile(job.tests, main.classes, true);
        events.emit("kind", "compiled", "of", "tests", "ok", tests.ok, "gave_up", tests.gaveUp, "diagnostics", tests.diagnostics,
            "parse_failed", tests.parseFailed, "tests", tests.ok ? List.of() : tests.marked);
        if (!tests.ok) return STOPPED;
        if (hides()) return STOPPED;
        return shared();
    }

    private boolean refused() {
        for (Map.Entry<String, byte[]> c : main.classes.entrySet()) {
            String name = Weave.forbidden(c.getValue());
            if (name == null) continue;
            events.emit("kind", "refused", "file", main.sources.get(c.getKey()), "name", name);
            return true;
        }
        return false;
    }

    /** A class of the submission must not take the place of one that tests import with a star. */
    private boolean hides() {
        for (Map.Entry<String, List<String>> e : tests.onDemand.entrySet()) {
            for (String name : main.classes.keySet()) {
                int dot = name.lastIndexOf('.');
                if (!e.getKey().equals(dot < 0 ? "" : name.substring(0, dot)) || name.indexOf('$') >= 0) continue;
                for (String pack : e.getValue()) {
                    String hidden = pack + "." + name.substring(dot + 1);
                    if (!MemoryFiles.isLibrary(hidden) || !exists(hidden)) continue;
                    events.emit("kind", "hides", "file", main.sources.get(name), "name", hidden);
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean exists(String name) { return Session.class.getClassLoader().getResource(name.replace('.', '/') + ".class") != null; }

    private int shared() {
        Capture capture = new Capture(Long.parseLong(job.get("output_limit")), () -> {
            events.emit("kind", "output_limit");
            Guard.halt(OUTPUT);
        });
        capture.install();
        System.setIn(InputStream.nullInputStream());
        SubmissionLoader submission = new SubmissionLoader(main.classes, true);
        TestLoader loader = new TestLoader(tests.classes, submission, main.classes);
        Thread.currentThread().setContextClassLoader(submission);
        Guard.up();
        return execute(loader, capture);
    }

    int execute(ClassLoader loader, Capture capture) {
        try {
            List<Class<?>> classes = new ArrayList<>();
            for (String name : tests.classes.keySet()) {
                if (tests.lines.containsKey(name)) classes.add(loader.loadClass(name));
            }
            Failures failures = new Failures(main.sources, job.main, tests.sources);
            Suite suite = new Suite(candidates(classes), job.junit, job.get("run_skipped").equals("true"), vintage(), events, capture, failures, tests.lines);
            suite.announce();
            limitTime();
            suite.run();
        } catch (OutOfMemoryError e) {
            if (String.valueOf(e.getMessage()).contains("native thread")) {
                events.emit("kind", "error", "output", capture.take(), "failure", Json.object("type", "too many threads", "message", ""));
                return STOPPED;
            }
            events.emit("kind", "memory");
            return MEMORY;
        } catch (Throwable e) {
            events.emit("kind", "error", "output", capture.take(), "failure", new Failures(main.sources, job.main, tests.sources).describe(e));
            return STOPPED;
        }
        events.emit("kind", "finished", "output", capture.take());
        return ENDED;
    }

    /** The task's limit counts from here: a JVM and its compiler take their time before. */
    private void limitTime() {
        long limit = Long.parseLong(job.settings.getOrDefault("wall_ms", "0"));
        if (limit <= 0) return;
        Thread t = new Thread(() -> {
            long until = System.nanoTime() + limit * 1_000_000;
            for (long left; (left = until - System.nanoTime()) > 0;) {
                try {
                    Thread.sleep(left / 1_000_000 + 1);
                } catch (InterruptedException again) {
                    // Nobody's business but ours: go on.
                }
            }
            events.emit("kind", "timed_out");
            Guard.halt(TIME);
        }, "limit");
        t.setDaemon(true);
        t.setPriority(Thread.MAX_PRIORITY);
        t.start();
    }

    /** Classes at the top or static in others; the framework finds which of them hold tests. */
    private static List<Class<?>> candidates(List<Class<?>> all) {
        List<Class<?>> out = new ArrayList<>();
        for (Class<?> c : all) {
            if (c.getEnclosingClass() == null || java.lang.reflect.Modifier.isStatic(c.getModifiers()) && !c.isAnonymousClass() && !c.isLocalClass()) out.add(c);
        }
        return out;
    }

    private boolean vintage() {
        for (String text : job.tests.values()) if (text.contains("org.junit.Test") || text.contains("org.junit.*") || text.contains("junit.framework")) return true;
        return false;
    }
}
