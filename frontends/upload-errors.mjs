/**
 * Errors of an upload as texts for the person who uploads, from problem documents of the upload API, XML of S3, and
 * failures of the network.
 */

/**
 * Texts by code. Codes are those of the upload API (`bad-upload` with its field), of ingest, of S3, and of this module.
 * `{limit}` is a size, such as 50 MB.
 */
export const ERROR_TEXTS = {
    'bad-upload.type': 'Files of this type are not accepted.',
    'bad-upload.size': 'The file is empty or larger than {limit}.',
    'bad-upload.key': 'A file cannot be stored under this name. Rename it.',
    'bad-upload': 'The upload was not accepted.',
    'bad-token': 'Your permission to upload has ended. Reload the page.',
    'not-granted': 'You may not upload files to this place.',
    'token-used-up': 'You may not upload more files.',
    'too-many-uploads': 'Too many files within a minute.',
    unavailable: 'The service cannot accept files at the moment.',
    'checksum-mismatch': 'The file was damaged on its way.',
    infected: 'The file contains malware.',
    'over-limits': 'The image has too many pixels, frames or bytes.',
    'type-not-allowed': 'The file is not an image of a supported type.',
    damaged: 'The image is damaged or incomplete.',
    'too-slow': 'The image takes too long to process.',
    AccessDenied: 'The permission for this file has expired, or is for another file.',
    BadDigest: 'The file was damaged on its way.',
    EntityTooLarge: 'The file has changed since it was chosen.',
    EntityTooSmall: 'The file has changed since it was chosen.',
    InvalidRequest: 'The file was damaged on its way.',
    RequestTimeout: 'The connection was too slow.',
    SlowDown: 'The service cannot accept files at the moment.',
    offline: 'There is no connection.',
    network: 'The connection failed.',
    stalled: 'The connection stopped.',
    unreadable: 'The file cannot be read any more. Choose it again.',
    insecure: 'Uploads need HTTPS.',
    unprocessed: 'The file arrived, but was not processed in time.',
    unknown: 'The upload failed.',
};

/** Codes of S3 for which a new form, or the same request later, can help. */
const RETRYABLE = new Set(['AccessDenied', 'BadDigest', 'RequestTimeout', 'SlowDown', 'InternalError', 'ServiceUnavailable']);

/**
 * `message` is a text for the person who uploads, `detail` the service's own, if any. `code` is from {@link ERROR_TEXTS}
 * or S3's; `retryable`: the same upload may succeed later, after `retryAfterS` seconds.
 */
export class UploadError extends Error {
    constructor(code, { texts = {}, detail = '', field = '', status = 0, retryable = false, retryAfterS = 0 } = {}) {
        const all = { ...ERROR_TEXTS, ...texts };
        const text = all[`${code}.${field}`] ?? all[code] ?? all.unknown;
        super(text.replace('{limit}', limitIn(detail) || 'allowed'));
        Object.assign(this, { name: 'UploadError', code, detail, field, status, retryable, retryAfterS });
    }
}

/** The upload API names the greatest size in bytes at the end of its detail. */
const limitIn = detail => {
    const bytes = Number(/(\d+)$/.exec(detail)?.[1]);
    return bytes ? formatBytes(bytes) : '';
};

/** Format a size: 999 B, 1.2 kB, 50 MB, with spaces at which no line is broken. */
export function formatBytes(count) {
    if (count < 1000) {
        return `${count}\u00a0B`;
    }
    const [value, unit] = count < 1e6 ? [count / 1e3, 'kB'] : [count / 1e6, 'MB'];
    return `${value < 100 ? Number(value.toFixed(1)) : Math.round(value)}\u00a0${unit}`;
}

/** Return the error of a response of the upload API, whose body is a problem document, or API Gateway's own JSON. */
export function errorOfApi({ status, headers, document }, texts) {
    const { code, detail = document.message ?? '', field = '' } = document;
    const usual = status === 429 ? 'too-many-uploads' : status >= 500 ? 'unavailable' : 'unknown';
    return new UploadError(code ?? usual, {
        texts, detail, field, status, retryable: status === 429 || status >= 500, retryAfterS: Number(headers.get('retry-after')) || 0,
    });
}

/** Return the error of a response of S3, whose body is XML. */
export function errorOfS3({ status, text }, texts) {
    const field = name => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
    const code = field('Code') || (status >= 500 ? 'SlowDown' : 'unknown');
    return new UploadError(code, { texts, detail: field('Message'), status, retryable: status >= 500 || RETRYABLE.has(code) });
}

/** Return the error of a request without a response. */
export const errorOfNetwork = texts =>
    new UploadError(globalThis.navigator?.onLine === false ? 'offline' : 'network', { texts, retryable: true });
