package tracker.judge;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Judges a small submission once, so that what every judgement loads is loaded and compiled. */
final class Warm {
    private static final String MAIN = """
        import java.util.*;
        import java.util.stream.*;
        public class Warm {
            enum Kind { A, B }
            record Pair(int a, String b) { }
            private final List<String> names = new ArrayList<>();
            private final Map<String, Integer> counts = new HashMap<>();
            public int add(int a, int b) { return a + b; }
            public String join(List<String> all) { return all.stream().filter(s -> !s.isEmpty()).map(String::trim).collect(Collectors.joining(", ")); }
            public String text(int n) {
                StringBuilder b = new StringBuilder();
                for (int i = 0; i < n; i++) { if (i % 2 == 0) b.append(i).append(' '); else b.append("x" + i); }
                switch (n) { case 1: return "one"; default: return b.toString() + Kind.A + new Pair(n, "p"); }
            }
            public void fail() { throw new IllegalArgumentException("no"); }
            @Override public boolean equals(Object o) { return o instanceof Warm w && w.names.equals(names); }
            @Override public int hashCode() { return Objects.hash(names, counts); }
        }
        """;
    private static final String TEST = """
        import static org.assertj.core.api.Assertions.*;
        import static org.junit.jupiter.api.Assertions.assertEquals;
        import static org.junit.jupiter.api.Assertions.assertThrows;
        import java.util.List;
        import org.junit.jupiter.api.*;
        import org.junit.jupiter.params.ParameterizedTest;
        import org.junit.jupiter.params.provider.CsvSource;
        import org.junit.jupiter.params.provider.ValueSource;
        class WarmTest {
            private Warm warm;
            @BeforeEach void setUp() { warm = new Warm(); }
            @Test @DisplayName("adds") void adds() { assertEquals(5, warm.add(2, 3)); assertThat(warm.add(2, 2)).isEqualTo(4); }
            @Test void wrong() { assertThat(warm.text(3)).isEqualTo("4"); }
            @Test void wrongToo() { assertEquals(6, warm.add(2, 3)); }
            @Disabled("off") @Test void off() { }
            @Test void lists() { assertThat(List.of(warm.join(List.of("a", "b")))).containsExactly("a, b").hasSize(1); }
            @Test void fails() {
                assertThrows(IllegalArgumentException.class, () -> warm.fail());
                assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> warm.fail()).withMessage("no");
                assertThatThrownBy(() -> warm.fail()).isInstanceOf(IllegalArgumentException.class);
            }
            @ParameterizedTest @ValueSource(ints = {1, 2}) void each(int n) { assertThat(warm.text(n)).isNotEmpty(); }
            @ParameterizedTest @CsvSource({"1, 2", "2, 3"}) void pairs(int a, int b) { assertThat(warm.add(a, 1)).isEqualTo(b); }
            @Nested class Inner { @Test void inner() { assertThat(warm).isEqualTo(new Warm()); assertThat(true).isTrue(); } }
        }
        """;

    private Warm() { }

    static void load(Compiler compiler) throws IOException {
        PrintStream out = System.out;
        PrintStream err = System.err;
        Path log = Files.createTempFile("warm", "");
        try {
            for (int i = 0; i < 2; i++) {
                Job job = new Job();
                job.settings.put("nonce", "warm");
                job.settings.put("mode", "shared");
                job.settings.put("output_limit", "100000");
                job.main.put("Warm.java", MAIN);
                job.tests.put("WarmTest.java", TEST);
                new Session(job, compiler, log.toString()).run();
            }
        } finally {
            System.setOut(out);
            System.setErr(err);
            Thread.currentThread().setContextClassLoader(Warm.class.getClassLoader());
            Files.deleteIfExists(log);
        }
        System.gc();
    }
}
