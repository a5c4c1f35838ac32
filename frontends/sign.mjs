/** Sign URLs. For servers only: the key permits any variant of any image. */
import { createHmac } from 'node:crypto';

import { read } from './canonical.mjs';
import { darkroomUrl } from './darkroom.mjs';
import { OPTION_NAMES } from './tables.mjs';

const REPLACED = new Set(['s', 'exp'].flatMap(short => [short, OPTION_NAMES[short]]));

/**
 * Return the signature of a canonical request: unpadded base64url of its HMAC-SHA256.
 *
 * @param {string} request  For example `/photo.jpg/_/w-801.auto`.
 * @param {string} key
 * @param {number} [expiresS]  Unix time from which the link is refused.
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
