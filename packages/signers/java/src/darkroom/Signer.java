package darkroom;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signs URLs of one deployment, with the {@code current} key of the secret SigningKeysArn (signatures.md). */
public final class Signer {
    private static final List<String> REFUSED = List.of("", ".", "..", "_");
    private static final List<String> NOT_DERIVED = List.of("image", "upload-token");
    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    private final String base;
    private final byte[] key;

    /** @param base the CDN's address, such as https://images.example.com; empty for paths */
    public Signer(String base, String key) {
        if (key.isEmpty()) {
            throw new IllegalArgumentException("The signing key is empty");
        }
        this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
        this.key = key.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Returns the signed URL of an image.
     *
     * @param image the image's key, not percent-encoded, such as trips/rome.jpg
     * @param options by their short or long names
     * @param expires the end of the link, or null
     * @throws IllegalArgumentException for a key that cannot name an image
     */
    public String url(String image, Map<String, ?> options, Instant expires) {
        String query = query(new TreeMap<>(options));
        return base + sign(query.isEmpty() ? path(image) : path(image) + "?" + query, expires);
    }

    /**
     * Returns the signed URL by which the extension {@code name} serves an image ({@code <key>/_/<name>}).
     *
     * @throws IllegalArgumentException for a key that cannot name an image
     */
    public String extension(String image, String name, Map<String, ?> options, Instant expires) {
        String path = path(image);
        check(path);
        String target = withoutEscapes(path) + "/_/" + name;
        String query = query(new TreeMap<>(options));
        return base + signText(query.isEmpty() ? target : target + "?" + query, expires);
    }

    /** Returns a path with its query, percent-encoded, with its signature; expires may be null. */
    public String sign(String target, Instant expires) {
        check(target.split("\\?", 2)[0]);
        return signText(target, expires);
    }

    /** Returns the signature of a text of an image, as {@link #signMessage(String, String, String)} does. */
    public static String signMessage(String text, String key) {
        return signMessage(text, key, "image");
    }

    /**
     * Returns the signature of a text, which is signed as it is.
     *
     * @param purpose one of signatures.md, such as tile-url
     * @throws IllegalArgumentException for an image's text without a slash at its start
     */
    public static String signMessage(String text, String key, String purpose) {
        boolean isImage = purpose.equals("image");
        if (key.isEmpty()) {
            throw new IllegalArgumentException("The signing key is empty");
        }
        if (isImage && !text.startsWith("/")) {
            throw new IllegalArgumentException("The text that is signed for an image begins with a slash: " + text);
        }
        String domain = isImage ? "" : purpose + ":";
        byte[] used = key.getBytes(StandardCharsets.UTF_8);
        return encodeBase64(digest(NOT_DERIVED.contains(purpose) ? used : digest(used, "key:" + domain), domain + text));
    }

    private static void check(String path) {
        List<String> segments = List.of(path.split("/", -1));
        boolean isRefused = segments.stream().skip(1).anyMatch(REFUSED::contains);
        if (segments.size() < 2 || !segments.get(0).isEmpty() || isRefused) {
            throw new IllegalArgumentException("No image can have this path: " + path);
        }
    }

    private String signText(String target, Instant expires) {
        String text = expires == null ? target : target + joint(target) + "exp=" + expires.getEpochSecond();
        return text + joint(text) + "s=" + encodeBase64(digest(key, text));
    }

    private static String encodeBase64(byte[] digest) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
    }

    private static byte[] digest(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error); // each platform has HmacSHA256
        }
    }

    private static String path(String image) {
        return Stream.of(image.split("/", -1)).map(Signer::encode).collect(Collectors.joining("/", "/", ""));
    }

    private static String query(TreeMap<String, ?> options) {
        return options.entrySet().stream()
                .map(option -> encode(option.getKey()) + "=" + spell(option.getValue()))
                .collect(Collectors.joining("&"));
    }

    /** The path of an extension has the key in this encoding, since an HTTP API decodes percent-escapes. */
    private static String withoutEscapes(String path) {
        String escaped = path.replace(".-", ".%2D").replace("~", "%7E");
        return escaped.replaceAll("%([89AB].)", "$1").replace("%", ".-");
    }

    private static String joint(String text) {
        return text.contains("?") ? "&" : "?";
    }

    private static String spell(Object value) {
        Object written = value instanceof Boolean flag ? (flag ? 1 : 0) : value;
        return encode(written.toString()).replace("%2C", ",").replace("%3A", ":").replace("%3B", ";").replace("%2F", "/");
    }

    private static String encode(String text) {
        StringBuilder encoded = new StringBuilder();
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
            char character = (char) (each & 0xFF);
            encoded.append(UNRESERVED.indexOf(character) >= 0 ? character : String.format("%%%02X", (int) character));
        }
        return encoded.toString();
    }
}
