/** Signed URLs of Darkroom images (docs/reference/signatures.md). For servers only: the key permits any image. */
import { createHmac } from 'node:crypto';

const REFUSED = new Set(['', '.', '..', '_']);
const UNRESERVED_TOO = /[!'()*]/g;

const encode = text =>
    encodeURIComponent(text).replace(UNRESERVED_TOO, one => '%' + one.charCodeAt(0).toString(16).toUpperCase());

const spell = value =>
    encode(String(typeof value === 'boolean' ? Number(value) : value)).replace(/%(2C|2F|3A|3B)/g, decodeURIComponent);

// The path of an extension has the key in this encoding, since an HTTP API decodes percent-escapes.
const withoutEscapes = path => path
    .replace(/\.-/g, '.%2D').replace(/~/g, '%7E').replace(/%([89AB].)/g, '$1').replace(/%/g, '.-');

const queryOf = options =>
    Object.keys(options).filter(name => options[name] !== undefined && options[name] !== null).sort()
        .map(name => `${encode(name)}=${spell(options[name])}`).join('&');

const pathOf = image => {
    checkSegments(image);
    return '/' + image.split('/').map(encode).join('/');
};

const checkSegments = path => {
    if (path.split('/').some(segment => REFUSED.has(segment))) {
        throw new RangeError(`This path has a segment that is empty, . or .. or _: '${path}'`);
    }
};

// Images and upload tokens are signed with the key itself (docs/reference/signatures.md, "Purposes").
const NOT_DERIVED = new Set(['image', 'upload-token']);

const digest = (key, text) => createHmac('sha256', key).update(text).digest();

export function signMessage(text, key, purpose = 'image') {
    if (!key) {
        throw new RangeError('The signing key is empty');
    }
    if (purpose === 'image' && !text.startsWith('/')) {
        throw new RangeError(`The text that is signed for an image begins with a slash: '${text}'`);
    }
    const domain = purpose === 'image' ? '' : `${purpose}:`;
    const derived = NOT_DERIVED.has(purpose) ? key : digest(key, `key:${domain}`);
    return digest(derived, domain + text).toString('base64url');
}

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
        const query = queryOf(options);
        return this.#base + this.sign(query ? `${pathOf(image)}?${query}` : pathOf(image), expires);
    }

    extension(image, name, options = {}, expires = undefined) {
        const query = queryOf(options);
        const path = `${withoutEscapes(pathOf(image))}/_/${name}`;
        return this.#base + this.#signText(query ? `${path}?${query}` : path, expires);
    }

    sign(target, expires = undefined) {
        if (!target.startsWith('/')) {
            throw new RangeError(`This is no path: '${target}'`);
        }
        checkSegments(target.slice(1).split('?')[0]);
        return this.#signText(target, expires);
    }

    #signText(target, expires) {
        const join = text => text + (text.includes('?') ? '&' : '?');
        const seconds = expires instanceof Date ? Math.floor(expires.getTime() / 1000) : expires;
        const text = seconds === undefined || seconds === null ? target : `${join(target)}exp=${seconds}`;
        return `${join(text)}s=${signMessage(text, this.#key)}`;
    }
}
