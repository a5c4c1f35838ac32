/** Options by their short or long names; lists are texts such as `fp:0.5:0.3`. */
export type Options = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Return the signature of a text, which is signed as it is.
 *
 * @param key The `current` key of the secret SigningKeysArn.
 * @param purpose One of docs/reference/signatures.md, such as `tile-url`; by default `image`.
 * @throws {RangeError} For an image's text without a slash at its start.
 */
export declare function signMessage(text: string, key: string, purpose?: string): string;

/** Signs URLs of one deployment, with the `current` key of the secret SigningKeysArn. */
export declare class Signer {
    /** @param base The CDN's address, such as `https://images.example.com`; empty for paths. */
    constructor(base: string, key: string);

    /**
     * Return the signed URL of an image.
     *
     * @param image The image's key, not percent-encoded, such as `trips/rome.jpg`.
     * @param expires When the link ends: Unix time in seconds, or a date.
     * @throws {RangeError} For a key that cannot name an image.
     */
    url(image: string, options?: Options, expires?: number | Date | null): string;

    /**
     * Return the signed URL by which the extension `name` serves an image (`<key>/_/<name>`).
     *
     * @throws {RangeError} For a key that cannot name an image.
     */
    extension(image: string, name: string, options?: Options, expires?: number | Date | null): string;

    /**
     * Return a path with its query, percent-encoded, with its signature.
     *
     * @throws {RangeError} For a path that cannot name an image.
     */
    sign(target: string, expires?: number | Date | null): string;
}
