/** Signed URLs. For servers only: whoever has the key can have any picture made. */
import { createHmac } from 'node:crypto';

import { read } from './canonical.mjs';
import { darkroomUrl } from './darkroom.mjs';
import { OPTION_NAMES } from './tables.mjs';

const REPLACED = new Set(['s', 'exp'].flatMap(short => [short, OPTION_NAMES[short]]));

/**
 * The signature of a canonical request: unpadded base64url of its HMAC-SHA256.
 *
 * @param {string} request  Such as `/photo.jpg/_/w-801.auto`.
 * @param {string} key
 * @param {number} [expiresS]  Unix time from which the link is refused.
 */
export function sign(request, key, expiresS) {
    const message = expiresS === undefined ? request : `${request}?exp=${expiresS}`;
    return createHmac('sha256', key).update(message).digest('base64url');
}

/**
 * `url` with its signature; an older one, and its expiry, are replaced.
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
 * The signed URL of a picture with any options.
 *
 * @param {string} base
 * @param {string} pictureKey
 * @param {import('./darkroom.mjs').Options} options
 * @param {{key: string, expiresS?: number}} by
 */
export const signedUrl = (base, pictureKey, options, { key, expiresS }) =>
    signUrl(darkroomUrl(base, pictureKey, options), key, expiresS);
