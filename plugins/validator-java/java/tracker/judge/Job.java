package tracker.judge;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is to be done, read from standard input, so that no file holds it: records of a name, a
 * length and so many bytes, up to the record "end".
 */
final class Job {
    final Map<String, String> settings = new LinkedHashMap<>();
    /** Sources of the submission by path, and those of the task that it may use. */
    final Map<String, String> main = new LinkedHashMap<>();
    /** Sources of the tests by path. */
    final Map<String, String> tests = new LinkedHashMap<>();
    /** Settings of the tests for their framework. */
    final Map<String, String> junit = new LinkedHashMap<>();

    static Job read(InputStream in) throws IOException {
        Job job = new Job();
        while (true) {
            String name = line(in);
            int space = name.lastIndexOf(' ');
            int length = Integer.parseInt(name.substring(space + 1));
            name = name.substring(0, space);
            if (name.equals("end")) return job;
            byte[] body = in.readNBytes(length);
            if (body.length < length) throw new EOFException("the job is cut off");
            String text = new String(body, StandardCharsets.UTF_8);
            int slash = name.indexOf('/');
            String rest = name.substring(slash + 1);
            switch (slash < 0 ? "" : name.substring(0, slash)) {
                case "main" -> job.main.put(rest, text);
                case "tests" -> job.tests.put(rest, text);
                case "junit" -> job.junit.put(rest, text);
                default -> job.settings.put(name, text);
            }
        }
    }

    /** Reads a line byte by byte: what follows belongs to others. */
    static String line(InputStream in) throws IOException {
        ByteArrayOutputStream b = new ByteArrayOutputStream();
        for (int c; (c = in.read()) != '\n'; b.write(c)) {
            if (c < 0) throw new EOFException("the input ends before the line does");
        }
        return b.toString(StandardCharsets.UTF_8);
    }

    String get(String name) { return settings.getOrDefault(name, ""); }
}
