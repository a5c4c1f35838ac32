/**
 * Options of Uppy's plugin `@uppy/aws-s3` (version 6.3 and later) for Darkroom's uploads: each file has its own form.
 *
 * `crypto.subtle`, which computes the checksum, exists on HTTPS and localhost only.
 */

/**
 * @param {{api: string, token: string | ((key: string) => string | Promise<string>),
 *   keyOf: (file: {name: string, data: Blob, type: string}) => string}} by  `api` is the stack's output `UploadApiUrl`,
 *   `token` an upload token or a function that requests one from your server; `keyOf` returns a file's key, which the
 *   token must cover.
 * @returns  Options for `uppy.use(AwsS3, …)`.
 */
export function darkroomUploads({ api, token, keyOf }) {
    const files = new Map();
    return {
        shouldUseMultipart: false, // a form takes one whole file, with its checksum
        allowedMetaFields: [],
        generateObjectKey(file) {
            const key = keyOf(file);
            files.set(key, file.data);
            return key;
        },
        async signRequest({ method, key, uploadId, contentType }) {
            const data = files.get(key);
            if (method !== 'PUT' || uploadId !== undefined || !data) {
                throw new RangeError(`Darkroom takes whole files by forms: no ${method} of '${key}'`);
            }
            const bearer = typeof token === 'function' ? await token(key) : token;
            const asked = { key, type: contentType, size: data.size, sha256: await sha256(data) };
            const answer = await fetch(`${api.replace(/\/$/, '')}/uploads`, {
                method: 'POST',
                headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
                body: JSON.stringify(asked),
            });
            const document = await answer.json();
            if (!answer.ok) {
                throw new Error(document.detail ?? document.title ?? `The upload API answered ${answer.status}`);
            }
            const { url, fields } = document;
            return { url, fields };
        },
    };
}

async function sha256(blob) {
    const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
    return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}
