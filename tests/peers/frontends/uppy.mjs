// Upload files with Uppy: {folder, api, token, files: [{name, type, text}], spoil} to {uploaded, failed, keys}.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { darkroomUploads, prepareFiles } from '../../../frontends/uppy.mjs';

const { folder, api, token, files, spoil } = JSON.parse(readFileSync(0, 'utf8'));
const theirs = async path => (await import(pathToFileURL(join(folder, 'node_modules', path)))).default;

/** XMLHttpRequest as far as Uppy uses it, over fetch: Node has none. */
globalThis.XMLHttpRequest = class extends EventTarget {
    upload = new EventTarget();
    #headers = new Headers();
    #answer;
    #aborting = new AbortController();
    open(method, url) {
        Object.assign(this, { method, url, readyState: 1, status: 0 });
    }
    setRequestHeader(name, value) {
        this.#headers.set(name, value);
    }
    getResponseHeader(name) {
        return this.#answer?.headers.get(name) ?? null;
    }
    abort() {
        this.#aborting.abort();
    }
    async send(body) {
        const emit = name => {
            this[`on${name}`]?.(new Event(name));
            this.dispatchEvent(new Event(name));
        };
        try {
            this.#answer = await fetch(this.url, {
                method: this.method, body, headers: this.#headers, signal: this.#aborting.signal, duplex: 'half',
            });
            this.responseText = this.response = await this.#answer.text();
            Object.assign(this, { readyState: 4, status: this.#answer.status, statusText: this.#answer.statusText });
            emit('load');
        } catch (error) {
            this.cause = error;
            emit('error');
        }
    }
};

const Uppy = await theirs('@uppy/core/lib/index.js');
const AwsS3 = await theirs('@uppy/aws-s3/lib/index.js');
const options = darkroomUploads({ api, token, keyOf: file => `trips/${file.name}` });
const { signRequest } = options;
if (spoil) {
    options.signRequest = async request => {
        const made = await signRequest(request);
        return { ...made, fields: { ...made.fields, ...spoil } };
    };
}
const uppy = prepareFiles(new Uppy().use(AwsS3, options), { maxPixels: 4_000_000 });
for (const { name, type, text } of files) {
    uppy.addFile({ name, type, data: new Blob([text], { type }) });
}
const { successful, failed } = await uppy.upload();
console.log(JSON.stringify({
    uploaded: successful.map(file => file.response.body),
    failed: failed.map(file => [file.name, file.error]),
}));
