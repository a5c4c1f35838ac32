/**
 * A provider for Nuxt Image: versions 2 (default export) and 1 (`getImage`). Its URLs need no signature.
 *
 * It also runs in browsers and cannot sign: width, format and `preset` apply; `height`, `fit` and `quality` do not.
 */
import { darkroomUrl, keyOf, widthUrl } from './darkroom.mjs';

/**
 * @param {string} src  A URL below `baseURL`, a path, or a key, percent-encoded.
 * @param {{modifiers?: {width?: number | string, format?: string, preset?: string}, baseURL?: string}} [options]
 *   `modifiers.preset` is one of Darkroom's presets.
 * @returns {{url: string}}
 */
export function getImage(src, { modifiers = {}, baseURL = '' } = {}) {
    const key = keyOf(src, baseURL);
    const { width, format, preset } = modifiers;
    if (preset) {
        return { url: darkroomUrl(baseURL, key, { preset }) };
    }
    const url = width || format
        ? widthUrl(baseURL, key, Number(width) || Infinity, { format })
        : darkroomUrl(baseURL, key);
    return { url };
}

const provider = { getImage, supportsAlias: true };

export default () => provider;
