/**
 * Uploads of images from a browser: preparation on this device, checksums, progress, retries, continuation after a reload,
 * errors that people can read, and reports of latency and rejections. Without a framework; upload-element.mjs is a web
 * component on top of it.
 *
 * @typedef {import('./upload-prepare.mjs').Preparation} Preparation
 * @typedef {{id: string, file?: Blob, name: string, key: string, state: State, share: number, note: string, size: number,
 *   sentSize: number, error?: UploadError, result?: object}} Item  `share` of the file that is sent, from 0 to 1; `size`
 *   of the chosen file and `sentSize` of the prepared one, in bytes; `result`: the state that the upload API returned.
 * @typedef {'waiting' | 'preparing' | 'sending' | 'offline' | 'processing' | 'moderation' | End} State  `moderation` waits
 *   for a verdict.
 * @typedef {'ready' | 'held' | 'refused' | 'failed' | 'cancelled'} End  `held` waits for a reviewer.
 */
import { MEDIA_TYPES } from './tables.mjs';
import { send, sha256, UploadApi } from './upload-api.mjs';
import { UploadError } from './upload-errors.mjs';
import { Journal } from './upload-journal.mjs';
import { prepareImage } from './upload-prepare.mjs';
import { Reporter } from './upload-report.mjs';

export { formatBytes, ERROR_TEXTS, UploadError } from './upload-errors.mjs';
export { tokensFrom } from './upload-api.mjs';
export { prepareImage } from './upload-prepare.mjs';

const POLL_MS = 700;
const LONGEST_POLL_MS = 5000;
const POLL_GROWTH = 1.3;
const RESULT_TIMEOUT_MS = 180_000;
const CONCURRENCY = 3;
const RETRIES = 4;
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const FORM_MARGIN_MS = 30_000;

const ENDS = new Set(['ready', 'held', 'refused', 'failed', 'cancelled']);

/** Return whether an upload has ended. */
export const hasEnded = item => ENDS.has(item.state);

/** Return the media type of a file, by its extension if the browser does not know it. Ingest checks the bytes. */
export const mediaType = (name, type) =>
    type || MEDIA_TYPES[name.split('.').pop().toLowerCase()] || 'application/octet-stream';

/** Uploads files, a few at a time. Dispatches `change`, a CustomEvent with the item as its `detail`. */
export class Uploader extends EventTarget {
    #api;
    #options;
    #texts;
    #journal;
    #reporter;
    #jobs = new Map();
    #usedKeys = new Set();
    #queue = [];
    #running = 0;

    /**
     * @param {{api?: string, token: string | import('./upload-api.mjs').TokenSource, prefix?: string,
     *   keyOf?: (name: string, file: File) => string, prepare?: Preparation | null, journal?: string, report?: boolean,
     *   concurrency?: number, retries?: number, texts?: Record<string, string>}} options  `api` is the stack's output
     *   `UploadApiUrl`, unless the token's source returns it. `keyOf` returns a key that the token covers, by default
     *   `prefix` and the name. `journal`: a name under which unfinished uploads are stored on this device.
     */
    constructor(options) {
        super();
        this.#options = options;
        const { report = true, journal = '', texts } = options;
        this.#texts = texts;
        this.#api = new UploadApi(options);
        this.#journal = journal && globalThis.indexedDB ? new Journal(journal) : null;
        this.#reporter = report ? new Reporter(this.#api) : null;
    }

    /** All items, in the order in which they were added. */
    get items() {
        return [...this.#jobs.values()].map(job => job.item);
    }

    /**
     * Add files and start their upload.
     *
     * @param {Iterable<File>} files
     * @returns {Item[]}
     */
    add(files) {
        return [...files].map(file => {
            const job = this.#makeJob({ id: makeId(), name: file.name, added: Date.now(), file });
            job.running = this.#start(job, job.abort.signal);
            return job.item;
        });
    }

    /** Continue the uploads that an earlier page did not finish; return their items. */
    async resume() {
        const entries = (await this.#journal?.list() ?? []).filter(entry => !this.#jobs.has(entry.id));
        const jobs = [];
        await Promise.all(entries.map(entry => new Promise(resolve => {
            const released = this.#journal.alone(entry.id, () => {
                const job = this.#makeJob(entry);
                Object.assign(job, { resumed: true, running: released });
                jobs.push(job);
                resolve();
                this.#set(job, 'waiting'); // it may be long until it is this upload's turn
                return this.#process(job, job.abort.signal);
            });
            released.then(resolve);
        })));
        return jobs.map(job => job.item);
    }

    /** Try an upload that failed or was cancelled again. */
    retry({ id }) {
        const job = this.#jobs.get(id);
        if (!['failed', 'cancelled'].includes(job?.item.state)) {
            return;
        }
        // After a reload, an upload whose file S3 has is without the file: only its state is read again.
        if (job.item.error?.code !== 'unprocessed' && (job.blob || job.entry.file)) {
            Object.assign(job, { form: undefined, version: undefined, sent: false });
        }
        const { running } = job;
        job.abort = new AbortController();
        this.#set(job, 'waiting', { error: undefined });
        const { signal } = job.abort; // each try has its own
        job.running = running.then(() => this.#start(job, signal)); // what was cancelled may still be at work
    }

    /** Stop an upload that has not ended. What S3 has received stays there. */
    cancel({ id }) {
        const job = this.#jobs.get(id);
        if (job && !hasEnded(job.item)) {
            job.abort.abort();
            this.#journal?.delete(id);
            this.#set(job, 'cancelled');
        }
    }

    /** Forget an item, whose upload is cancelled if it has not ended. */
    remove(item) {
        this.cancel(item);
        this.#jobs.delete(item.id);
    }

    /** Stop all uploads and delete what is stored on this device, as when a person signs out. */
    async forget() {
        for (const item of this.items) {
            this.cancel(item);
        }
        await this.#journal?.clear();
    }

    #makeJob(entry) {
        const { id, name, file, blob, note = '', declared, form, version, sent } = entry;
        const size = file?.size ?? entry.size ?? 0;
        const item = { id, file: file ?? blob, name, key: declared?.key ?? '', state: 'waiting', share: 0, note, size, sentSize: blob?.size ?? size };
        const { prefix = '', keyOf = name => prefix + name, prepare } = this.#options; // which a page may change later
        const job = { entry, item, blob, declared, form, version, sent, keyOf, prepare, abort: new AbortController() };
        if (declared) {
            this.#usedKeys.add(declared.key);
        }
        this.#jobs.set(id, job);
        return job;
    }

    async #start(job, signal) {
        if (signal.aborted) {
            return;
        }
        this.#set(job, 'waiting', { error: undefined, result: undefined, share: 0 });
        const work = async () => {
            await this.#journal?.put(job.entry);
            await this.#process(job, signal);
        };
        await (this.#journal ? this.#journal.alone(job.item.id, work) : work());
    }

    async #process(job, signal) {
        try {
            if (!job.sent) {
                await this.#inTurn(() => this.#deliver(job, signal));
            }
            this.#set(job, 'processing', { share: 1 });
            this.#end(job, await this.#waitForResult(job, signal));
        } catch (error) {
            if (!signal.aborted) {
                this.#fail(job, error);
            }
        }
    }

    #end(job, result) {
        const refused = result.state === 'refused';
        const error = refused && new UploadError(result.code, { texts: this.#texts, detail: result.reason });
        this.#journal?.delete(job.item.id);
        this.#reporter?.add(job.item.key, refused ? { outcome: 'rejected', code: result.code } : { outcome: 'stored', ...job.took });
        job.blob = undefined;
        this.#set(job, result.state, { result, error: error || undefined });
    }

    #fail(job, error) {
        const known = error instanceof UploadError ? error : new UploadError('unknown', { texts: this.#texts, detail: String(error) });
        const { status } = known;
        if (!known.retryable && status !== 401) { // after a new sign-in, the upload goes on
            this.#journal?.delete(job.item.id);
        }
        const outcome = status >= 400 && status < 500 && status !== 429 ? 'rejected' : 'failed';
        this.#reporter?.add(job.item.key, { outcome, code: known.code });
        this.#set(job, 'failed', { error: known });
    }

    async #deliver(job, signal) {
        const startedMs = performance.now();
        signal.throwIfAborted();
        await this.#prepare(job);
        let disturbed = job.resumed;
        let renewed = false;
        for (let attempt = 1; ; attempt += 1) {
            try {
                signal.throwIfAborted();
                await this.#send(job, signal);
                job.took = disturbed ? {} : { ms: Math.round(performance.now() - startedMs) };
                return;
            } catch (error) {
                const tooOften = error.code !== 'offline' && attempt > (this.#options.retries ?? RETRIES);
                const denied = error.code === 'AccessDenied'; // also of an expired form
                if (signal.aborted || !error.retryable || tooOften || (denied && renewed)) {
                    throw error;
                }
                if (denied) {
                    renewed = true;
                    job.form = undefined;
                }
                disturbed = true; // its time would be that of the pause
                await this.#pause(job, signal, error, attempt);
            }
        }
    }

    async #prepare(job) {
        const { item, entry } = job;
        const file = entry.file;
        if (!job.blob) {
            this.#set(job, 'preparing');
            const unchanged = { blob: file, name: item.name, type: file.type, note: '' };
            const made = job.prepare ? await prepareImage(file, job.prepare) : unchanged;
            job.blob = made.blob;
            job.made = made;
            Object.assign(item, { note: made.note, sentSize: made.blob.size });
        }
        if (!job.declared) {
            const { name, type } = job.made;
            const digest = await sha256(job.blob, this.#texts);
            job.declared = { key: this.#unusedKey(job.keyOf(name, file)), type: mediaType(name, type), size: job.blob.size, sha256: digest };
        }
        item.key = job.declared.key;
    }

    /** Two files of one name, as from cameras, must not replace each other. */
    #unusedKey(whole) {
        const [, stem, ending = ''] = /^(.*?)(\.[^./]*)?$/s.exec(whole);
        let key = whole;
        for (let number = 2; this.#usedKeys.has(key); number += 1) {
            key = `${stem}-${number}${ending}`;
        }
        this.#usedKeys.add(key);
        return key;
    }

    async #send(job, signal) {
        const { declared } = job;
        if (job.resumed && job.form && await this.#isKnown(job, signal)) {
            return;
        }
        if (!job.form || Date.parse(job.form.expires_at) - FORM_MARGIN_MS < Date.now()) {
            job.form = await this.#api.form(declared, signal);
        }
        await this.#note(job, { blob: job.blob });
        this.#set(job, 'sending', { share: 0 });
        const onProgress = share => this.#set(job, 'sending', { share });
        job.version = await send(job.form, job.blob, { onProgress, signal, texts: this.#texts });
        job.sent = true;
        await this.#note(job, { blob: undefined, sent: true });
    }

    /** After a reload, the file may have arrived although its response did not. */
    async #isKnown({ declared, form }, signal) {
        const state = await this.#api.state(declared.key, form.status, signal);
        return state?.sha256 === declared.sha256;
    }

    async #note({ entry, item, declared, form, version }, more) {
        const { name, note, size } = item;
        Object.assign(entry, { name, note, size, declared, form, version, file: undefined, ...more });
        await this.#journal?.put(entry);
    }

    async #waitForResult(job, signal) {
        const { declared, form, version } = job;
        const until = Date.now() + RESULT_TIMEOUT_MS;
        let held = null;
        for (let pause = POLL_MS; Date.now() < until; pause = Math.min(LONGEST_POLL_MS, pause * POLL_GROWTH)) {
            signal.throwIfAborted();
            const state = await this.#api.state(declared.key, form.status, signal).catch(error => {
                if (!error.retryable) {
                    throw error;
                }
                return null;
            });
            // Until it is processed, the state of an existing key is that of the previous upload.
            if (state && (version ? state.version === version : state.sha256 === declared.sha256)) {
                if (['ready', 'refused'].includes(state.state) || (state.state === 'held' && state.flagged)) {
                    return state;
                }
                if (state.state === 'held') {
                    held = state;
                    this.#set(job, 'moderation');
                }
            }
            await sleep(pause, signal);
        }
        if (held) {
            return held;
        }
        throw new UploadError('unprocessed', { texts: this.#texts, retryable: true });
    }

    async #pause(job, signal, error, attempt) {
        if (error.code === 'offline') {
            this.#set(job, 'offline', { share: 0 });
            await new Promise(resolve => {
                if (navigator.onLine) {
                    resolve();
                }
                globalThis.addEventListener('online', resolve, { once: true });
                signal.addEventListener('abort', resolve, { once: true });
            });
            return;
        }
        this.#set(job, 'waiting', { share: 0 });
        const spread = 0.5 + Math.random() / 2; // clients that failed together do not return together
        const ms = Math.max(error.retryAfterS * 1000, Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (attempt - 1) * spread));
        await sleep(ms, signal);
    }

    #set(job, state, more = {}) {
        if (job.abort.signal.aborted && state !== 'cancelled') {
            return;
        }
        Object.assign(job.item, more, { state });
        if (this.items.every(hasEnded)) {
            this.#reporter?.flush();
        }
        this.dispatchEvent(new CustomEvent('change', { detail: job.item }));
    }

    async #inTurn(task) {
        if (this.#running >= (this.#options.concurrency ?? CONCURRENCY)) {
            await new Promise(resolve => { this.#queue.push(resolve); });
        } else {
            this.#running += 1;
        }
        try {
            return await task();
        } finally {
            const next = this.#queue.shift();
            if (next) {
                next(); // the place is handed over
            } else {
                this.#running -= 1;
            }
        }
    }
}

/** Unlike `crypto.randomUUID`, this exists without HTTPS, so that uploads there fail with a reason. */
const makeId = () => [...crypto.getRandomValues(new Uint32Array(3))].map(part => part.toString(36)).join('-');

const sleep = (ms, signal) =>
    new Promise(resolve => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
        }, { once: true });
    });
