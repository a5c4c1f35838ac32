/**
 * A provider for unpic: `extract`, `generate` and `transform` as in its own providers. Use `transform` as `transformer` of
 * unpic's components.
 *
 * @typedef {{width?: number | string, height?: number | string, format?: string, quality?: number | string,
 *   [option: string]: import('./darkroom.mjs').Value | undefined}} Operations  unpic's own, and any option of Darkroom.
 * @typedef {{baseURL?: string, sign?: (url: string) => string}} ProviderOptions  `baseURL` is Darkroom's URL.
 *   `sign` is for servers: with it sizes are exact and every option applies. Without it, only width and format do, or a
 *   preset, and pages crop with CSS (`object-fit`).
 */
import { darkroomUrl, keyOf, widthUrl } from './darkroom.mjs';
import { LADDER, OPTION_NAMES } from './tables.mjs';

const SHORT_NAMES = Object.fromEntries(Object.entries(OPTION_NAMES).map(([short, long]) => [long, short]));
const NUMBERS = new Set(['width', 'height', 'quality']);
const OWN = new Set(['s', 'exp', 'dpr']);

/** Breakpoints for unpic's components: widths that are served as requested. */
export const breakpoints = () => [...LADDER];

/**
 * Parse a URL of Darkroom as unpic does; null unless it is below `baseURL` or a path.
 *
 * @param {string | URL} url
 * @param {ProviderOptions} [options]
 */
export function extract(url, { baseURL = '' } = {}) {
    const text = String(url);
    const root = baseURL.replace(/\/$/, '') + '/';
    if (!text.startsWith(root) && !/^\/(?!\/)/.test(text)) {
        return null;
    }
    const [src, query = ''] = text.split('?');
    const pairs = [...new URLSearchParams(query)].map(([name, value]) => [SHORT_NAMES[name] ?? name, value]);
    const operations = pairs.filter(([name]) => !OWN.has(name)).map(([name, value]) => {
        const long = OPTION_NAMES[name] ?? name;
        return [long, NUMBERS.has(long) && value !== 'auto' ? Number(value) : value];
    });
    return { src, operations: Object.fromEntries(operations), options: { baseURL } };
}

/**
 * Return the URL of `src`, which has no options, with `operations`.
 *
 * @param {string | URL} src  A URL below `baseURL`, a path, or a key that is percent-encoded.
 * @param {Operations} operations
 * @param {ProviderOptions} [options]
 */
export function generate(src, operations, { baseURL = '', sign } = {}) {
    const key = keyOf(String(src), baseURL);
    const { width, height, format, quality, preset, ...others } = operations;
    if (sign) {
        const fit = width && height ? 'cover' : undefined;
        const size = { w: rounded(width), h: rounded(height) };
        return sign(darkroomUrl(baseURL, key, { fit, ...size, dpr: 1, f: format, q: quality, preset, ...others }));
    }
    return width || format || !preset
        ? widthOrBare(baseURL, key, width, format)
        : darkroomUrl(baseURL, key, { preset });
}

const rounded = length => (length ? Math.round(Number(length)) : undefined);

const widthOrBare = (baseURL, key, width, format) =>
    !width && !format ? darkroomUrl(baseURL, key) : widthUrl(baseURL, key, Number(width) || Infinity, { format });

/**
 * Return `src`, with or without options, with `operations` replacing its own.
 *
 * @param {string | URL} src
 * @param {Operations} operations
 * @param {ProviderOptions} [options]
 */
export function transform(src, operations, options) {
    const found = extract(src, options);
    const given = Object.entries(operations).filter(([, value]) => value !== undefined);
    return generate(found?.src ?? src, { ...found?.operations, ...Object.fromEntries(given) }, options);
}
