/** Signed URLs of Darkroom images (docs/reference/signatures.md). For servers only: the key permits any image. */
import { createHmac } from 'node:crypto';

const REFUSED = new Set(['', '.', '..', '_']);
const UNRESERVED_TOO = /[!'()*]/g;

const encode = text =>
    encodeURIComponent(text).replace(UNRESERVED_TOO, one => '%' + one.charCodeAt(0).toString(16).toUpperCase());

const spell = value =>
    encode(String(typeof value === 'boolean' ? Number(value) : value)).replace(/%(2C|2F|3A|3B)/g, decodeURIComponent);

const checkSegments = path => {
    if (path.split('/').some(segment => REFUSED.has(segment))) {
        throw new RangeError(`This path has a segment that is empty, . or .. or _: '${path}'`);
    }
};

export class Signer {
    #base;
    #key;

    constructor(base, key) {
        if (!key) {
            throw new RangeError('The signing key is empty');
        }
        this.#base = base.replace(/\/$/, '');
        this.#key = key;
    }

    url(image, options = {}, expires = undefined) {
        checkSegments(image);
        const names = Object.keys(options).filter(name => options[name] !== undefined && options[name] !== null).sort();
        const query = names.map(name => `${encode(name)}=${spell(options[name])}`).join('&');
        const path = '/' + image.split('/').map(encode).join('/');
        return this.#base + this.sign(query ? `${path}?${query}` : path, expires);
    }

    sign(target, expires = undefined) {
        if (!target.startsWith('/')) {
            throw new RangeError(`This is no path: '${target}'`);
        }
        checkSegments(target.slice(1).split('?')[0]);
        const join = text => text + (text.includes('?') ? '&' : '?');
        const seconds = expires instanceof Date ? Math.floor(expires.getTime() / 1000) : expires;
        const text = seconds === undefined || seconds === null ? target : `${join(target)}exp=${seconds}`;
        return `${join(text)}s=${createHmac('sha256', this.#key).update(text).digest('base64url')}`;
    }
}
