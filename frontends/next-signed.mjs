/** A signing loader for `getImageProps` of `next/image` in server components; a client component would disclose the key. */
import { keyOf } from './darkroom.mjs';
import { signedUrl } from './sign.mjs';

/**
 * Create a loader that applies `options` besides the width.
 *
 * @param {{base: string, key: string, expiresS?: number}} by  `key` is the signing key, `expiresS` Unix time.
 * @param {import('./darkroom.mjs').Options} [options]  `h` scales with the width if `w` is given.
 * @returns {(wanted: {src: string, width: number, quality?: number}) => string}
 */
export function signedLoader({ base, key, expiresS }, { w, h, ...options } = {}) {
    return ({ src, width, quality }) => {
        const height = w && h ? Math.round((Number(h) * width) / Number(w)) : h;
        const wanted = { w: width, h: height, dpr: 1, q: quality, ...options };
        return signedUrl(base, keyOf(src, base), wanted, { key, expiresS });
    };
}
