/**
 * Build URLs of images, in browsers and servers. Signing is in sign.mjs, which no browser may load.
 *
 * @typedef {string | number | boolean | ReadonlyArray<string | number>} Value  Items of a list are joined by commas.
 * @typedef {Record<string, Value | null | undefined>} Options  By short or long name; null and undefined are omitted.
 */
import { LADDER, OPTION_NAMES } from './tables.mjs';

export { LADDER, PRESETS } from './tables.mjs';

const NAMES = new Set(Object.entries(OPTION_NAMES).flat());
const UNRESERVED_TOO = /[!'()*]/g;

/**
 * Percent-encode all characters except A-Z a-z 0-9 - _ . ~
 *
 * @param {string} text
 */
export const encoded = text =>
    encodeURIComponent(text).replace(UNRESERVED_TOO, one => '%' + one.charCodeAt(0).toString(16).toUpperCase());

/**
 * Return the path of a key. Browsers resolve `.` and `..` in URLs, so a key with one would name another image.
 *
 * @param {string} key  The image's name in the bucket, not encoded; one leading slash is dropped.
 * @throws {RangeError}  For a key that cannot name an image.
 */
export function keyPath(key) {
    const segments = key.replace(/^\//, '').split('/');
    if (segments.some(segment => ['', '.', '..', '_'].includes(segment))) {
        throw new RangeError(`This key has a segment that is empty, . or .. or _: '${key}'`);
    }
    return '/' + segments.map(encoded).join('/');
}

/**
 * Return the decoded key of a URL.
 *
 * @param {string} src  A URL below `base`, a path, or a key, percent-encoded; a query is ignored.
 * @param {string} [base]  Darkroom's URL.
 * @throws {RangeError}  For a URL of another host.
 * @throws {URIError}  For invalid percent-encoded UTF-8.
 */
export function keyOf(src, base = '') {
    const root = base.replace(/\/$/, '') + '/';
    const path = src.startsWith(root) ? src.slice(root.length) : src;
    if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(path)) {
        throw new RangeError(`This is not an image below '${root}': '${src}'`);
    }
    return decodeURIComponent(path.replace(/[?#].*$/s, '').replace(/^\//, ''));
}

/**
 * Return the URL of an image with any options. Those beyond presets and the ladder need a signature.
 *
 * @param {string} base  Darkroom's URL, such as `https://images.example.com`; empty on the same host.
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

/**
 * Return the value of an option as URLs have it.
 *
 * @param {Value} value
 */
export const spelled = value =>
    typeof value === 'boolean' ? String(Number(value)) : encoded(String(value)).replace(/%(2C|3A)/g, decodeURIComponent);

/**
 * Return the smallest width of the ladder that is at least `width`, in px, or the largest width.
 *
 * @param {number} width
 */
export const ladderWidth = width => LADDER.find(step => step >= width) ?? LADDER[LADDER.length - 1];

/**
 * Return the URL of an image at least `width` px wide, if the source is, without a signature.
 *
 * `dpr=1`: `width` includes the screen's pixel ratio, and a client hint must not multiply it again.
 *
 * @param {string} base
 * @param {string} key
 * @param {number} width
 * @param {{format?: string}} [more]  A format instead of the best that the viewer accepts.
 */
export const widthUrl = (base, key, width, { format } = {}) =>
    darkroomUrl(base, key, { w: ladderWidth(width), dpr: 1, f: format });

/**
 * Return the offered widths of an image in px, as pairs of requested and resulting width: the ladder below `width`, and
 * the next step, which results in the image's own width.
 *
 * @param {number} width  Of the upright image.
 * @returns {Array<[number, number]>}
 */
export const offeredWidths = width => LADDER
    .filter((step, at) => at === 0 || LADDER[at - 1] < width)
    .map(step => [step, Math.min(step, width)]);

/**
 * Return a `srcset` with width descriptors, for use with `sizes`: that of `f=json`, with a host and a format.
 *
 * @param {string} base
 * @param {string} key
 * @param {number} width  Of the upright image, in px.
 * @param {{format?: string}} [more]
 */
export const srcset = (base, key, width, more) => offeredWidths(width)
    .map(([step, given]) => `${widthUrl(base, key, step, more)} ${given}w`)
    .join(', ');
