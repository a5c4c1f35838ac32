/** Compute the canonical request of a URL, which is signed (docs/reference/urls.md, "Signing"). */
import { read as readParts } from './edge.mjs';

export { Refusal } from './edge.mjs';

/**
 * Parse `target`.
 *
 * @param {string} target  Path and query, as in `/photo.jpg?w=801`.
 * @returns {{request: string, needsSignature: boolean}}  `needsSignature` in the access mode `guarded`.
 * @throws {import('./edge.mjs').Refusal}  If Darkroom refuses the URL with any signature.
 */
export function read(target) {
    const cut = (target + '?').indexOf('?');
    return readParts(target.slice(0, cut), target.slice(cut + 1));
}
