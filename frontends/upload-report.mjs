/**
 * Reports of how uploads went, for the metrics `ClientUploadLatency` and `ClientUploadRejected`: those of several uploads in
 * one request, which is sent when the last of them has ended, and when the page is hidden.
 *
 * @typedef {{outcome: 'stored' | 'rejected' | 'failed', ms?: number, code?: string}} Report  `ms` from the start of the
 *   preparation until S3 had the file, without uploads that were interrupted.
 */

/** The upload API's limits: reports of one request, and the time in one. A request beyond them is refused as a whole. */
const MOST = 20;
const LONGEST_MS = 3_600_000;

export class Reporter {
    #api;
    #waiting = [];
    #key = '';

    /** @param {import('./upload-api.mjs').UploadApi} api */
    constructor(api) {
        this.#api = api;
        globalThis.document?.addEventListener('visibilitychange', () => {
            if (document.visibilityState === 'hidden') {
                this.flush();
            }
        });
    }

    /** @param {string} key @param {Report} report */
    add(key, report) {
        if (!key) {
            return; // it failed before it had a key, for which there is a token
        }
        this.#key = key;
        this.#waiting.push(report.ms > LONGEST_MS ? { ...report, ms: LONGEST_MS } : report);
        if (this.#waiting.length === MOST) {
            this.flush();
        }
    }

    /** Send what is waiting. */
    async flush() {
        const reports = this.#waiting.splice(0);
        if (reports.length) {
            await this.#api.report(this.#key, reports);
        }
    }
}
