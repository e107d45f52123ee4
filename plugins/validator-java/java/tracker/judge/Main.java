package tracker.judge;

import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;

/** What is executed in the sandbox: `Main` does one job; `Main warm` gets ready for one first. */
public final class Main {
    private Main() { }

    /** Arguments: "warm", or nothing. */
    public static void main(String[] args) throws IOException {
        InputStream in = new BufferedInputStream(new FileInputStream(FileDescriptor.in));
        Compiler compiler = new Compiler();
        if (args.length > 0 && args[0].equals("warm")) {
            Warm.load(compiler);
            System.out.print("ready\n");
            System.out.flush();
            // One line names the process that this one stands for. There is one kind, so it says nothing new.
            int c = in.read();
            if (c < 0) return;
            while (c != '\n') c = in.read();
        }
        Job job = Job.read(in);
        int code = 1;
        try {
            code = new Session(job, compiler, Session.EVENTS).run();
        } finally {
            if (!job.get("mode").equals("program")) Runtime.getRuntime().halt(code);
        }
        if (code != 0) System.exit(code);
    }
}
