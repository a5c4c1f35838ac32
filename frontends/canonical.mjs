/** The canonical request of a URL, which signatures are made over (docs/urls.md, "Signing"). */
import { isUnsigned, lastPart, optionsText, planOf, readKey, readValues, wrong } from './edge.mjs';
import { MAX_OPTIONS_BYTES } from './tables.mjs';

export { Refusal } from './edge.mjs';

/**
 * What `target` asks for.
 *
 * @param {string} target  Path and query, as in `/photo.jpg?w=801`.
 * @returns {{request: string, needsSignature: boolean}}  `needsSignature` in the access mode `guarded`.
 * @throws {import('./edge.mjs').Refusal}  Where Darkroom would refuse the URL whoever signed it.
 */
export function read(target) {
    const cut = (target + '?').indexOf('?');
    const start = readKey(target.slice(0, cut));
    const plan = planOf(readValues(target.slice(cut + 1)));
    if (optionsText(plan).length > MAX_OPTIONS_BYTES) {
        wrong(`The options are longer than ${MAX_OPTIONS_BYTES} characters together`);
    }
    if (plan.redact && plan.page) {
        wrong('Only page 0 can be redacted', 'page');
    }
    return { request: start + lastPart(plan), needsSignature: !isUnsigned(plan) };
}
