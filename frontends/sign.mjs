/** Sign URLs. For servers only: the key permits any variant of any image. */
import { createHmac } from 'node:crypto';

import { read } from './canonical.mjs';
import { darkroomUrl, encoded, keyPath, spelled } from './darkroom.mjs';
import { OPTION_NAMES } from './tables.mjs';

const REPLACED = new Set(['s', 'exp'].flatMap(short => [short, OPTION_NAMES[short]]));

/**
 * Return the signature of a canonical request: unpadded base64url of its HMAC-SHA256.
 *
 * @param {string} request  For example `/photo.jpg/_/w-801.auto`.
 * @param {string} key
 * @param {number} [expiresS]  Unix time from which the link is refused.
 * @returns {string}
 */
export function sign(request, key, expiresS) {
    const message = expiresS === undefined ? request : `${request}?exp=${expiresS}`;
    return createHmac('sha256', key).update(message).digest('base64url');
}

/**
 * Return `url` with its signature, which replaces an earlier one and its expiry.
 *
 * @param {string} url  Absolute, or a path with its query.
 * @param {string} key
 * @param {number} [expiresS]  Unix time from which the link is refused.
 * @throws {import('./edge.mjs').Refusal}  Where Darkroom would refuse the URL even with a signature.
 */
export function signUrl(url, key, expiresS) {
    const [, origin, path, query = ''] = /^([a-z]+:\/\/[^/?]*)?([^?]*)\??(.*)$/is.exec(url);
    const kept = query.split('&').filter(pair => pair && !REPLACED.has(pair.split('=')[0]));
    const { request } = read(path + (kept.length ? '?' + kept.join('&') : ''));
    const expiry = expiresS === undefined ? [] : [`exp=${expiresS}`];
    return `${origin ?? ''}${path}?${[...kept, ...expiry, `s=${sign(request, key, expiresS)}`].join('&')}`;
}

/**
 * Return the signed URL of an image with any options.
 *
 * @param {string} base
 * @param {string} imageKey
 * @param {import('./darkroom.mjs').Options} options
 * @param {{key: string, expiresS?: number}} by
 */
export const signedUrl = (base, imageKey, options, { key, expiresS }) =>
    signUrl(darkroomUrl(base, imageKey, options), key, expiresS);

/**
 * Return the signed URL by which the extension `name` serves an image (`<key>/_/<name>`).
 *
 * @param {string} base
 * @param {string} imageKey
 * @param {string} name
 * @param {Record<string, string | number | boolean | undefined>} options  By short or long names; the server checks them.
 * @param {{key: string, expiresS?: number}} by
 */
export function signedExtension(base, imageKey, name, options, { key, expiresS }) {
    const path = read(keyPath(imageKey)).request.replace(/\/_\/[^/]*$/, `/_/${name}`); // with the key as it is stored
    const pairs = Object.keys(options).filter(option => options[option] !== undefined).sort()
        .map(option => `${encoded(option)}=${spelled(options[option])}`);
    const limited = expiresS === undefined ? pairs : [...pairs, `exp=${expiresS}`];
    const text = [path, ...(limited.length ? [limited.join('&')] : [])].join('?');
    return `${base.replace(/\/$/, '')}${text}${limited.length ? '&' : '?'}s=${sign(text, key)}`;
}
