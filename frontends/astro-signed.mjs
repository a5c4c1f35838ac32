/**
 * Astro's image service with signed URLs: exact sizes, `fit`, `position` and `quality`. Astro runs it on
 * the server or in the build, never in a browser.
 *
 * `DARKROOM_SIGNING_KEY` is the signing key.
 */
import { service } from './astro.mjs';
import { keyOf } from './darkroom.mjs';
import { signedUrl } from './sign.mjs';

/** Values of Astro's `fit`, those of CSS' `object-fit`. */
const FITS = { contain: 'contain', cover: 'cover', fill: 'fill', 'scale-down': 'contain', none: undefined };
const SIDES = { top: 'north', bottom: 'south', left: 'west', right: 'east', center: 'center' };
const QUALITIES = { low: 25, mid: 50, high: 80, max: 100 };

/**
 * Return the gravity of `position`: `top`, `right bottom`, `50% 20%`, or a gravity of Darkroom.
 *
 * @throws {RangeError}  For a position in px or other lengths, which depend on the size of the image.
 */
export function gravityOf(position) {
    const parts = position.trim().split(/\s+/);
    const shares = parts.map(part => /^(\d+(?:\.\d+)?)%$/.exec(part)?.[1]);
    if (shares.every(Boolean)) {
        const [x, y = 50] = shares.map(Number);
        return `fp:${x / 100}:${y / 100}`;
    }
    if (parts.length === 1 && !(parts[0] in SIDES)) {
        return parts[0];
    }
    const words = parts.map(part => SIDES[part]);
    if (words.length > 2 || words.includes(undefined)) {
        throw new RangeError(`There is no position '${position}'`);
    }
    const vertical = words.find(word => word === 'north' || word === 'south') ?? '';
    const horizontal = words.find(word => word === 'west' || word === 'east') ?? '';
    return vertical + horizontal || 'center';
}

/** @param {import('./astro.mjs').Transform} options */
function urlOf({ src, width, height, format, quality, fit = 'cover', position, background, preset }, { baseURL = '' }) {
    if (!(fit in FITS)) {
        throw new RangeError(`There is no fit '${fit}'`);
    }
    const wanted = {
        w: width, h: height, fit: FITS[fit], g: fit === 'cover' && position ? gravityOf(position) : undefined, dpr: 1,
        bg: background?.replace('#', ''), f: format, q: QUALITIES[quality] ?? quality, preset,
    };
    return signedUrl(baseURL, keyOf(src, baseURL), wanted, { key: process.env.DARKROOM_SIGNING_KEY });
}

export default service(urlOf, Math.round);
