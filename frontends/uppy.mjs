/**
 * Uppy's plugin `@uppy/aws-s3` (version 6.3 and later) for Darkroom's uploads: each file has its own form.
 *
 * `crypto.subtle`, which computes the checksum, exists on HTTPS and localhost only.
 */
import { sha256, UploadApi } from './upload-api.mjs';
import { prepareImage } from './upload-prepare.mjs';

/**
 * @param {{api: string, token: string | ((key: string) => string | Promise<string>),
 *   keyOf: (file: {name: string, data: Blob, type: string}) => string}} by  `api` is the stack's output `UploadApiUrl`,
 *   `token` an upload token or a function that requests one from your server; `keyOf` returns a file's key, which the
 *   token must cover.
 * @returns  Options for `uppy.use(AwsS3, …)`.
 */
export function darkroomUploads({ api, token, keyOf }) {
    const files = new Map();
    const client = new UploadApi({ api, token });
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
            const declared = { key, type: contentType, size: data.size, sha256: await sha256(data) };
            const { url, fields } = await client.form(declared).catch(error => {
                throw Object.assign(error, { message: [error.message, error.detail].filter(Boolean).join(' ') });
            });
            return { url, fields };
        },
    };
}

/**
 * Prepare files before Uppy sends them: resize them, and remove their metadata.
 *
 * @param {import('@uppy/core').Uppy} uppy
 * @param {import('./upload-prepare.mjs').Preparation} preparation
 */
export function prepareFiles(uppy, preparation) {
    uppy.addPreProcessor(async ids => {
        for (const id of ids) {
            const { data, name, type, meta } = uppy.getFile(id);
            const made = await prepareImage(new File([data], name, { type }), preparation);
            const more = { name: made.name, type: made.type };
            uppy.setFileState(id, { ...more, data: made.blob, size: made.blob.size, meta: { ...meta, ...more } });
        }
    });
    return uppy;
}
