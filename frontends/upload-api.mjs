/**
 * The requests of one upload: a form from the upload API, the file to S3, the state from the upload API, and a report of
 * how the uploads went. Used by upload.mjs and uppy.mjs.
 *
 * @typedef {{key: string, type: string, size: number, sha256: string}} Declared  What a request declares of a file.
 * @typedef {{url: string, fields: Record<string, string>, key: string, status: string, expires_at: string}} Form
 * @typedef {(key: string, options: {renew: boolean}) => Grant | Promise<Grant>} TokenSource
 * @typedef {string | {token: string, api?: string}} Grant  An upload token, and the address of the upload API.
 */
import { errorOfApi, errorOfNetwork, errorOfS3, UploadError } from './upload-errors.mjs';

const STALLED_MS = 60_000;
const RENEW_BEFORE_S = 60;

/** Return the SHA-256 of `blob` in hexadecimal. `crypto.subtle` exists on HTTPS and localhost only. */
export async function sha256(blob, texts) {
    if (!globalThis.crypto?.subtle) {
        throw new UploadError('insecure', { texts });
    }
    const bytes = await blob.arrayBuffer().catch(() => {
        throw new UploadError('unreadable', { texts });
    });
    const digest = await crypto.subtle.digest('SHA-256', bytes);
    return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Return a token source that requests `url?prefix=<folder>` of your server, and keeps its answer, `{token, expires_s, api}`,
 * until the token ends.
 *
 * @param {string} url
 * @returns {TokenSource}
 */
export function tokensFrom(url) {
    const known = new Map();
    return async (key, { renew }) => {
        const prefix = key.replace(/[^/]*$/, '') || key;
        const kept = known.get(prefix);
        if (kept && !renew && kept.expires_s - RENEW_BEFORE_S > Date.now() / 1000) {
            return kept;
        }
        const address = new URL(url, document.baseURI);
        address.searchParams.set('prefix', prefix);
        const grant = await requestJson(address, {});
        known.set(prefix, grant);
        return grant;
    };
}

async function requestJson(url, options, texts) {
    const response = await fetch(url, options).catch(error => {
        throw options.signal?.aborted ? error : errorOfNetwork(texts);
    });
    const document = await response.json().catch(() => ({}));
    if (!response.ok) {
        throw errorOfApi({ status: response.status, headers: response.headers, document }, texts);
    }
    return document;
}

/** A client of the upload API, which renews its token once if it is refused. */
export class UploadApi {
    #token;
    #api;
    #texts;

    /** @param {{api?: string, token: string | TokenSource, texts?: Record<string, string>}} by */
    constructor({ api = '', token, texts }) {
        this.#api = api;
        this.#token = typeof token === 'function' ? token : () => token;
        this.#texts = texts;
    }

    /**
     * Request a form for one file.
     *
     * @param {Declared} declared
     * @param {AbortSignal} [signal]
     * @returns {Promise<Form>}
     */
    form(declared, signal) {
        return this.#call(declared.key, '/uploads', { method: 'POST', body: JSON.stringify(declared), signal });
    }

    /** Return the state of the upload of `key`; null if it has none yet. `path` is the form's `status`. */
    async state(key, path, signal) {
        try {
            return await this.#call(key, path, { signal });
        } catch (error) {
            if (error.code === 'not-ingested') {
                return null;
            }
            throw error;
        }
    }

    /** Report how uploads went, with a token for `key`; also while the page is being left. Never throws. */
    report(key, uploads) {
        const body = JSON.stringify({ uploads });
        return this.#call(key, '/uploads/report', { method: 'POST', body, keepalive: true }).catch(() => null);
    }

    async #call(key, path, options, renew = false) {
        const grant = await this.#token(key, { renew });
        const { token, api = this.#api } = typeof grant === 'string' ? { token: grant } : grant;
        const headers = { authorization: `Bearer ${token}`, ...(options.body && { 'content-type': 'application/json' }) };
        try {
            return await requestJson(api.replace(/\/$/, '') + path, { ...options, headers }, this.#texts);
        } catch (error) {
            if (error.status === 401 && !renew) {
                return this.#call(key, path, options, true);
            }
            throw error;
        }
    }
}

/**
 * Send `blob` to S3 with a form. Return the version id of the object, "" if S3 returns none.
 *
 * @param {Pick<Form, 'url' | 'fields'>} form
 * @param {Blob} blob
 * @param {{onProgress?: (share: number) => void, signal?: AbortSignal, texts?: Record<string, string>}} [options]
 */
export async function send({ url, fields }, blob, { onProgress = () => {}, signal, texts } = {}) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
        form.append(name, value);
    }
    form.append('file', blob);
    const post = globalThis.XMLHttpRequest ? postByRequest : postByFetch;
    const { status, version, text } = await post(url, form, { onProgress, signal, texts });
    if (status >= 300) {
        throw errorOfS3({ status, text }, texts);
    }
    return version;
}

/** Without XMLHttpRequest, as in Node and in workers, there is no progress. */
async function postByFetch(url, body, { signal, texts }) {
    const response = await fetch(url, { method: 'POST', body, signal }).catch(error => {
        throw signal?.aborted ? error : errorOfNetwork(texts);
    });
    return { status: response.status, version: response.headers.get('x-amz-version-id') ?? '', text: await response.text() };
}

function postByRequest(url, body, { onProgress, signal, texts }) {
    const request = new XMLHttpRequest();
    let stalled;
    const abort = () => request.abort();
    const watch = () => {
        clearTimeout(stalled);
        stalled = setTimeout(abort, STALLED_MS);
    };
    return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        signal?.addEventListener('abort', abort);
        request.open('POST', url);
        request.upload.onprogress = event => {
            watch();
            onProgress(event.lengthComputable ? event.loaded / event.total : 0);
        };
        request.onload = () => resolve({
            status: request.status, version: request.getResponseHeader('x-amz-version-id') ?? '', text: request.responseText,
        });
        request.onerror = () => reject(errorOfNetwork(texts));
        request.onabort = () => reject(signal?.aborted ? signal.reason : new UploadError('stalled', { texts, retryable: true }));
        watch();
        request.send(body);
    }).finally(() => {
        clearTimeout(stalled);
        signal?.removeEventListener('abort', abort);
    });
}
