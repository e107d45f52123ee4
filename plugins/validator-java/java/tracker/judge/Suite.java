package tracker.judge;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.vintage.engine.VintageTestEngine;

/** Finds the tests of classes and runs them, reporting each. */
final class Suite implements TestExecutionListener {
    private static final String DEACTIVATE = "junit.jupiter.conditions.deactivate";
    private final Launcher launcher;
    private final TestPlan plan;
    private final Events events;
    private final Capture capture;
    private final Failures failures;
    private final Map<String, Long> lines;
    private final Map<UniqueId, String> ids = new LinkedHashMap<>();
    private final Map<String, Integer> taken = new LinkedHashMap<>();
    private final Map<UniqueId, Long> began = new LinkedHashMap<>();

    Suite(List<Class<?>> classes, Map<String, String> settings, boolean runSkipped, boolean vintage,
            Events events, Capture capture, Failures failures, Map<String, Long> lines) {
        this.events = events;
        this.capture = capture;
        this.failures = failures;
        this.lines = lines;
        List<TestEngine> engines = new ArrayList<>(List.of(new JupiterTestEngine()));
        if (vintage) engines.add(new VintageTestEngine());
        LauncherConfig config = LauncherConfig.builder().enableTestEngineAutoRegistration(false).enableLauncherSessionListenerAutoRegistration(false)
            .enableLauncherDiscoveryListenerAutoRegistration(false).enablePostDiscoveryFilterAutoRegistration(false)
            .enableTestExecutionListenerAutoRegistration(false).addTestEngines(engines.toArray(TestEngine[]::new)).build();
        List<DiscoverySelector> selected = new ArrayList<>();
        for (Class<?> c : classes) selected.add(DiscoverySelectors.selectClass(c));
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request().selectors(selected)
            .enableImplicitConfigurationParameters(false).configurationParameters(settings);
        if (runSkipped) request.configurationParameter(DEACTIVATE, "org.junit.*DisabledCondition");
        LauncherDiscoveryRequest r = request.build();
        launcher = LauncherFactory.create(config);
        plan = launcher.discover(r);
    }

    /** Tells which tests must report, before any code of the submission has run. */
    int announce() {
        List<Object> all = new ArrayList<>();
        for (TestIdentifier root : plan.getRoots()) {
            for (TestIdentifier t : plan.getDescendants(root)) {
                String id = id(t);
                if (counts(t)) all.add(Json.object("id", id, "name", name(t), "line", line(t), "task", task(t)));
            }
        }
        events.emit("kind", "expected", "tests", all);
        return all.size();
    }

    void run() { launcher.execute(plan, this); }

    /** Tests, and containers that make tests while they run. */
    private static boolean counts(TestIdentifier t) { return t.isTest() || !t.getUniqueIdObject().getLastSegment().getType().matches("engine|class|nested-class|runner|suite"); }

    private synchronized String id(TestIdentifier t) {
        UniqueId unique = t.getUniqueIdObject();
        String known = ids.get(unique);
        if (known != null) return known;
        StringBuilder b = new StringBuilder();
        for (UniqueId.Segment s : unique.getSegments()) {
            switch (s.getType()) {
                case "engine" -> { }
                case "class", "runner" -> b.append(s.getValue());
                case "nested-class", "method", "test-template", "test-factory" -> b.append("::").append(s.getValue().replaceFirst("\\(.*", ""));
                case "test" -> b.append("::").append(s.getValue().replaceFirst("\\(.*", ""));
                default -> b.append('[').append(s.getValue().replace("#", "")).append(']');
            }
        }
        String id = b.toString();
        int n = taken.merge(id, 1, Integer::sum);
        if (n > 1) id += "#" + n;
        ids.put(unique, id);
        return id;
    }

    private String name(TestIdentifier t) {
        String own = t.getDisplayName().replaceFirst("^(\\w+)\\((?:[\\w.$\\[\\]<>, ]*)\\)$", "$1");
        TestIdentifier parent = plan.getParent(t).orElse(null);
        if (parent == null || parent.getUniqueIdObject().getLastSegment().getType().matches("engine|class|runner")) return own;
        return name(parent) + " > " + own;
    }

    private long line(TestIdentifier t) {
        for (TestIdentifier x = t; x != null; x = plan.getParent(x).orElse(null)) {
            if (x.getSource().orElse(null) instanceof org.junit.platform.engine.support.descriptor.MethodSource m) {
                Long line = lines.get(m.getClassName() + "#" + m.getMethodName());
                if (line == null) line = inherited(m);
                return line == null ? 0 : line;
            }
        }
        return 0;
    }

    private Long inherited(org.junit.platform.engine.support.descriptor.MethodSource m) {
        try {
            Method found = m.getJavaMethod();
            return lines.get(found.getDeclaringClass().getName() + "#" + found.getName());
        } catch (RuntimeException e) {
            return null;
        }
    }

    private static String task(TestIdentifier t) {
        for (TestTag tag : t.getTags()) {
            if (tag.getName().startsWith("task:")) return tag.getName().substring(5).strip();
        }
        return null;
    }

    @Override
    public void executionStarted(TestIdentifier t) {
        if (!counts(t)) return;
        began.put(t.getUniqueIdObject(), System.nanoTime());
        if (t.isTest()) events.emit("kind", "started", "id", id(t));
    }

    @Override
    public void executionSkipped(TestIdentifier t, String reason) {
        for (TestIdentifier x : plan.getDescendants(t)) if (counts(x)) report(x, "skip", reason, null);
        if (counts(t)) report(t, "skip", reason, null);
    }

    @Override
    public void executionFinished(TestIdentifier t, TestExecutionResult result) {
        Throwable thrown = result.getThrowable().orElse(null);
        boolean aborted = result.getStatus() == TestExecutionResult.Status.ABORTED;
        if (!counts(t)) {
            // What a class could not set up, none of its tests could use.
            if (thrown == null) return;
            for (TestIdentifier x : plan.getDescendants(t)) {
                if (counts(x) && !began.containsKey(x.getUniqueIdObject())) report(x, aborted ? "skip" : "error", aborted ? thrown.getMessage() : null, aborted ? null : thrown);
            }
            if (!aborted) events.emit("kind", "broken", "id", id(t), "name", name(t), "failure", failures.describe(thrown), "output", capture.take());
            return;
        }
        if (t.isContainer() && thrown == null && !t.isTest()) {
            events.emit("kind", "container", "id", id(t), "children", plan.getChildren(t).size());
            return;
        }
        String status = switch (result.getStatus()) {
            case SUCCESSFUL -> "pass";
            case ABORTED -> "skip";
            case FAILED -> thrown instanceof AssertionError ? "fail" : "error";
        };
        report(t, status, aborted && thrown != null ? thrown.getMessage() : null, aborted ? null : thrown);
    }

    private void report(TestIdentifier t, String status, String reason, Throwable thrown) {
        Long from = began.get(t.getUniqueIdObject());
        events.emit("kind", "test", "id", id(t), "name", name(t), "line", line(t), "task", task(t), "status", status, "reason", reason,
            "output", capture.take(), "seconds", from == null ? 0 : (System.nanoTime() - from) / 1e9,
            "failure", thrown == null ? null : failures.describe(thrown));
    }
}
