/**
 * Unfinished uploads in IndexedDB, so that they continue after a reload. A file is stored as a copy, in its prepared form
 * once there is one, and deleted when its upload has ended, or after a day.
 *
 * @typedef {{id: string, name: string, added: number, file?: File, blob?: Blob, note?: string, declared?: object,
 *   form?: object, version?: string, sent?: boolean}} Entry
 */

const STORE = 'uploads';
const KEPT_MS = 86_400_000;

const promiseOf = request =>
    new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });

export class Journal {
    #name;
    #database;

    /** @param {string} name  Uploads of one name are continued together: use one for each place and person. */
    constructor(name) {
        this.#name = `darkroom-uploads:${name}`;
    }

    /** Store an entry; return whether it is stored: the browser may refuse for lack of space, or in private windows. */
    async put(entry) {
        try {
            await this.#do('readwrite', store => store.put(entry));
            return true;
        } catch {
            return false;
        }
    }

    async delete(id) {
        await this.#do('readwrite', store => store.delete(id)).catch(() => null);
    }

    /** Delete all entries, as when a person signs out. */
    async clear() {
        await this.#do('readwrite', store => store.clear()).catch(() => null);
    }

    /**
     * Return the entries of the last day that no other tab works on, oldest first; delete older ones.
     *
     * @returns {Promise<Entry[]>}
     */
    async list() {
        const all = await this.#do('readonly', store => store.getAll()).catch(() => []);
        const old = all.filter(entry => Date.now() - entry.added > KEPT_MS);
        await Promise.all(old.map(entry => this.delete(entry.id)));
        return all.filter(entry => !old.includes(entry)).sort((one, other) => one.added - other.added);
    }

    /**
     * Run `work` as the only tab that works on the entry `id`. Return false, without running it, if another tab does.
     * Where there are no locks, it runs.
     */
    async alone(id, work) {
        const locks = globalThis.navigator?.locks;
        if (!locks) {
            await null; // as with locks, the caller goes on first
            await work();
            return true;
        }
        return locks.request(`${this.#name}:${id}`, { ifAvailable: true }, async lock => {
            if (lock) {
                await work();
            }
            return Boolean(lock);
        });
    }

    async #do(mode, work) {
        this.#database ??= this.#open();
        const store = (await this.#database).transaction(STORE, mode).objectStore(STORE);
        return promiseOf(work(store));
    }

    #open() {
        const request = indexedDB.open(this.#name, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
        return promiseOf(request);
    }
}
