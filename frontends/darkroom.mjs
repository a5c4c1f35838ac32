/**
 * URLs of pictures, for browsers and servers. Nothing here signs: see sign.mjs, which no browser may load.
 *
 * @typedef {string | number | boolean | ReadonlyArray<string | number>} Value  A list's items are joined by commas.
 * @typedef {Record<string, Value | null | undefined>} Options  By short or long name; what is null or undefined is left out.
 */
import { LADDER, OPTION_NAMES } from './tables.mjs';

export { LADDER, PRESETS } from './tables.mjs';

const NAMES = new Set(Object.entries(OPTION_NAMES).flat());
const UNRESERVED_TOO = /[!'()*]/g;

/** Percent-encoded but for A-Z a-z 0-9 - _ . ~ */
const encoded = text =>
    encodeURIComponent(text).replace(UNRESERVED_TOO, one => '%' + one.charCodeAt(0).toString(16).toUpperCase());

/**
 * The path of a key. Browsers resolve `.` and `..` before they ask, so a key that has one would name another picture.
 *
 * @param {string} key  The picture's name in the bucket, not encoded; one leading slash is dropped.
 * @throws {RangeError}  For a key that can name no picture.
 */
export function keyPath(key) {
    const segments = key.replace(/^\//, '').split('/');
    if (segments.some(segment => ['', '.', '..', '_'].includes(segment))) {
        throw new RangeError(`This key has a segment that is empty, . or .. or _: '${key}'`);
    }
    return '/' + segments.map(encoded).join('/');
}

/**
 * The key that a URL names, decoded.
 *
 * @param {string} src  A URL below `base`, a path, or a key, percent-encoded; a query is left out.
 * @param {string} [base]  Where Darkroom answers.
 * @throws {RangeError}  For a URL of another host.
 * @throws {URIError}  For what is not percent-encoded UTF-8.
 */
export function keyOf(src, base = '') {
    const root = base.replace(/\/$/, '') + '/';
    const path = src.startsWith(root) ? src.slice(root.length) : src;
    if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(path)) {
        throw new RangeError(`This is not a picture below '${root}': '${src}'`);
    }
    return decodeURIComponent(path.replace(/[?#].*$/s, '').replace(/^\//, ''));
}

/**
 * The URL of a picture with any options. Those beyond presets and the ladder need a signature.
 *
 * @param {string} base  Where Darkroom answers, such as `https://pictures.example.com`; empty on the same host.
 * @param {string} key
 * @param {Options} [options]
 * @throws {RangeError}  For an option that does not exist.
 */
export function darkroomUrl(base, key, options = {}) {
    const pairs = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
    const unknown = pairs.find(([name]) => !NAMES.has(name));
    if (unknown) {
        throw new RangeError(`There is no option '${unknown[0]}'`);
    }
    const query = pairs.map(([name, value]) => `${name}=${spelled(value)}`).join('&');
    return base.replace(/\/$/, '') + keyPath(key) + (query && '?' + query);
}

const spelled = value =>
    typeof value === 'boolean' ? String(Number(value)) : encoded(String(value)).replace(/%(2C|3A)/g, decodeURIComponent);

/** The smallest width of the ladder that is not below `width`, in px, or the largest there is. */
export const ladderWidth = width => LADDER.find(step => step >= width) ?? LADDER[LADDER.length - 1];

/**
 * The URL of a picture that is at least `width` px wide, where it has that many, and needs no signature.
 *
 * `dpr=1` says that the screen's pixel ratio is in `width` already, so that a client hint does not multiply it again.
 *
 * @param {string} base
 * @param {string} key
 * @param {number} width
 * @param {{format?: string}} [more]  A format other than the best that the viewer accepts.
 */
export const widthUrl = (base, key, width, { format } = {}) =>
    darkroomUrl(base, key, { w: ladderWidth(width), dpr: 1, f: format });

/**
 * The widths a picture is offered in, as pairs of what is asked for and what it gives, in px: the ladder below `width`,
 * and one step more, which gives the picture in its own width.
 *
 * @param {number} width  Of the upright picture.
 * @returns {Array<[number, number]>}
 */
export const offeredWidths = width => LADDER
    .filter((step, at) => at === 0 || LADDER[at - 1] < width)
    .map(step => [step, Math.min(step, width)]);

/**
 * A `srcset` with width descriptors; it goes with a `sizes`. The same as that of `f=json`, with a host and a format.
 *
 * @param {string} base
 * @param {string} key
 * @param {number} width  Of the upright picture, in px.
 * @param {{format?: string}} [more]
 */
export const srcset = (base, key, width, more) => offeredWidths(width)
    .map(([step, given]) => `${widthUrl(base, key, step, more)} ${given}w`)
    .join(', ');
