package tracker.judge;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;

/**
 * The lines that say what happened. Each is numbered and signed with the run's nonce, so that
 * none can be added, changed or moved by one who does not know it.
 */
final class Events {
    private static final int BLOCK = 64;
    private final OutputStream out;
    private final MessageDigest inner;
    private final MessageDigest outer;
    private int count;

    Events(String path, String nonce) throws IOException {
        out = new FileOutputStream(path);
        // HMAC by hand: javax.crypto takes longer to load than most submissions run.
        byte[] key = nonce.getBytes(StandardCharsets.UTF_8);
        if (key.length > BLOCK) key = digest().digest(key);
        inner = pad(key, 0x36);
        outer = pad(key, 0x5c);
    }

    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static MessageDigest pad(byte[] key, int with) {
        byte[] block = new byte[BLOCK];
        System.arraycopy(key, 0, block, 0, key.length);
        for (int i = 0; i < BLOCK; i++) block[i] ^= (byte) with;
        MessageDigest d = digest();
        d.update(block);
        return d;
    }

    void emit(Object... pairs) { emit(Json.object(pairs)); }

    synchronized void emit(Map<String, Object> event) {
        String body = Json.write(event);
        count++;
        try {
            String sum = sign((count + " " + body).getBytes(StandardCharsets.UTF_8));
            out.write((sum + " " + body + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException | CloneNotSupportedException e) {
            throw new IllegalStateException(e);
        }
    }

    private String sign(byte[] text) throws CloneNotSupportedException {
        MessageDigest in = (MessageDigest) inner.clone();
        MessageDigest over = (MessageDigest) outer.clone();
        byte[] sum = over.digest(in.digest(text));
        StringBuilder b = new StringBuilder(sum.length * 2);
        for (byte x : sum) b.append(Character.forDigit(x >> 4 & 15, 16)).append(Character.forDigit(x & 15, 16));
        return b.toString();
    }
}
