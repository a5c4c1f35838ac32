import darkroom.Signer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs test vectors, which it reads from standard input: {@code python -m tools.signing_vectors}. */
public final class VectorTest {
    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String key = input.readLine();
        var paths = new Signer("", key);
        var urls = new Signer("https://images.example.com/", key);
        int count = 0;
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] fields = line.split("\t", -1);
            count++;
            if (fields[0].equals("message")) {
                check(Signer.signMessage(fields[2], key, fields[1]).equals(fields[3]), fields[1] + ": " + fields[2]);
                continue;
            }
            String target = fields[0];
            String signed = fields[2];
            Instant expires = fields[1].isEmpty() ? null : Instant.ofEpochSecond(Long.parseLong(fields[1]));
            int below = target.indexOf("/_/"); // the path of an extension
            check(below >= 0 || paths.sign(target, expires).equals(signed), target);
            if (fields.length > 3) {
                Map<String, String> options = new LinkedHashMap<>();
                for (int at = 4; at < fields.length; at += 2) {
                    options.put(fields[at], fields[at + 1]);
                }
                String url = below >= 0
                        ? urls.extension(fields[3], target.substring(below + 3, target.indexOf('?')), options, expires)
                        : urls.url(fields[3], options, expires);
                check(url.equals("https://images.example.com" + signed), target);
            }
        }
        Instant end = Instant.ofEpochSecond(5);
        check(paths.url("a.jpg", Map.of("w", 1, "gray", true), end).equals(paths.sign("/a.jpg?gray=1&w=1", end)), "flag");
        for (String image : List.of("", "a//b.jpg", "../a.jpg", "a/./b.jpg", "a.jpg/_/w-9.webp", "a/")) {
            check(isRefused(() -> paths.url(image, Map.of(), null)), "key '" + image + "'");
            check(isRefused(() -> paths.extension(image, "example", Map.of(), null)), "extension of '" + image + "'");
        }
        check(isRefused(() -> paths.sign("a.jpg", null)), "a relative path");
        check(isRefused(() -> paths.sign("", null)), "no path");
        check(isRefused(() -> new Signer("", "")), "an empty key");
        check(isRefused(() -> Signer.signMessage("upload-token:MTkw", key)), "a text without a slash");
        check(isRefused(() -> Signer.signMessage("/a.jpg", "")), "an empty key of a message");
        System.out.println(count + " vectors");
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static boolean isRefused(Runnable call) {
        try {
            call.run();
        } catch (IllegalArgumentException error) {
            return true;
        }
        return false;
    }
}
