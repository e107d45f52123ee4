package tracker.judge;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Takes what is printed, test by test, up to a limit for all of it. */
final class Capture extends OutputStream {
    private final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    private final long limit;
    private final Runnable met;
    private long total;

    Capture(long limit, Runnable met) {
        this.limit = limit;
        this.met = met;
    }

    void install() {
        PrintStream p = new PrintStream(this, true, StandardCharsets.UTF_8);
        System.setOut(p);
        System.setErr(p);
    }

    @Override
    public void write(int b) { write(new byte[] {(byte) b}, 0, 1); }

    @Override
    public synchronized void write(byte[] b, int from, int n) {
        int room = (int) Math.min(n, limit - total);
        buffer.write(b, from, room);
        total += room;
        if (room < n) met.run();
    }

    /** What was printed since the last call. */
    synchronized String take() {
        String s = buffer.toString(StandardCharsets.UTF_8);
        buffer.reset();
        return s;
    }
}
