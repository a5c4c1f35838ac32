/** The canonical request of a URL, which signatures are made over (docs/urls.md, "Signing"). */
import { checkLength, isUnsigned, lastPart, planOf, readKey, readValues, startOf, wrong } from './edge.mjs';

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
    const start = startOf(readKey(target.slice(0, cut)));
    const plan = planOf(readValues(target.slice(cut + 1)));
    checkLength(start, plan);
    if (plan.redact && plan.page) {
        wrong('Only page 0 can be redacted', 'page');
    }
    return { request: start + lastPart(plan), needsSignature: !isUnsigned(plan) };
}
