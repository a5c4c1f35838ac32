<?php

declare(strict_types=1);

namespace Darkroom;

use DateTimeInterface;
use InvalidArgumentException;

/**
 * Signs URLs of one deployment, with the `current` key of the secret SigningKeysArn (docs/reference/signatures.md).
 */
final class Signer
{
    private const READABLE = ['%2C' => ',', '%2F' => '/', '%3A' => ':', '%3B' => ';'];

    /** Images and upload tokens are signed with the key itself. */
    private const NOT_DERIVED = ['image', 'upload-token'];

    private string $base;
    private string $key;

    /** @param string $base The CDN's address, such as https://images.example.com; empty for paths. */
    public function __construct(string $base, string $key)
    {
        if ($key === '') {
            throw new InvalidArgumentException('The signing key is empty');
        }
        $this->base = rtrim($base, '/');
        $this->key = $key;
    }

    /**
     * Return the signed URL of an image. Escape it with htmlspecialchars() in HTML.
     *
     * @param string $image The image's key, not percent-encoded, such as trips/rome.jpg.
     * @param array<string, string|int|float|bool> $options By their short or long names.
     */
    public function url(string $image, array $options = [], int|DateTimeInterface|null $expires = null): string
    {
        $query = self::query($options);

        return $this->base . $this->sign($query === '' ? self::path($image) : self::path($image) . '?' . $query, $expires);
    }

    /**
     * Return the signed URL by which the extension $name serves an image (`<key>/_/<name>`).
     *
     * @param array<string, string|int|float|bool> $options
     */
    public function extension(
        string $image,
        string $name,
        array $options = [],
        int|DateTimeInterface|null $expires = null,
    ): string {
        $path = self::path($image);
        self::check($path);
        // The path of an extension has the key in this encoding, since an HTTP API decodes percent-escapes.
        $escaped = str_replace(['.-', '~'], ['.%2D', '%7E'], $path);
        $path = str_replace('%', '.-', preg_replace('/%([89AB].)/', '$1', $escaped)) . '/_/' . $name;
        $query = self::query($options);

        return $this->base . $this->signText($query === '' ? $path : $path . '?' . $query, $expires);
    }

    /** @param array<string, string|int|float|bool> $options */
    private static function query(array $options): string
    {
        ksort($options, SORT_STRING);
        $pairs = [];
        foreach ($options as $name => $value) {
            $text = is_bool($value) ? (string) (int) $value : (string) $value;
            $pairs[] = rawurlencode((string) $name) . '=' . strtr(rawurlencode($text), self::READABLE);
        }

        return implode('&', $pairs);
    }

    private static function path(string $image): string
    {
        return '/' . implode('/', array_map('rawurlencode', explode('/', $image)));
    }

    /** Return a path with its query, percent-encoded, with its signature. */
    public function sign(string $target, int|DateTimeInterface|null $expires = null): string
    {
        self::check(explode('?', $target, 2)[0]);

        return $this->signText($target, $expires);
    }

    /**
     * Return the signature of a text, which is signed as it is.
     *
     * @param string $purpose One of docs/reference/signatures.md, such as tile-url.
     */
    public static function signMessage(string $text, string $key, string $purpose = 'image'): string
    {
        if ($key === '') {
            throw new InvalidArgumentException('The signing key is empty');
        }
        if ($purpose === 'image' && !str_starts_with($text, '/')) {
            throw new InvalidArgumentException("The text that is signed for an image begins with a slash: $text");
        }
        $domain = $purpose === 'image' ? '' : "$purpose:";
        if (!in_array($purpose, self::NOT_DERIVED, true)) {
            $key = hash_hmac('sha256', "key:$domain", $key, true);
        }

        return rtrim(strtr(base64_encode(hash_hmac('sha256', $domain . $text, $key, true)), '+/', '-_'), '=');
    }

    private static function check(string $path): void
    {
        $segments = explode('/', $path);
        if (array_shift($segments) !== '' || $segments === [] || array_intersect($segments, ['', '.', '..', '_']) !== []) {
            throw new InvalidArgumentException("No image can have this path: $path");
        }
    }

    private function signText(string $target, int|DateTimeInterface|null $expires): string
    {
        $text = $target;
        if ($expires !== null) {
            $seconds = $expires instanceof DateTimeInterface ? $expires->getTimestamp() : $expires;
            $text .= (str_contains($text, '?') ? '&' : '?') . 'exp=' . $seconds;
        }

        return $text . (str_contains($text, '?') ? '&' : '?') . 's=' . self::signMessage($text, $this->key);
    }
}
