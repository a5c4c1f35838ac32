// One derivative, requested through the CDN: its image or text, cache state, size and render stages.

import { bytes, make } from './page.js';

export const AVIF = 'image/avif,image/webp,image/*,*/*;q=0.8';

/** Request a derivative, bypassing the browser's cache, and measure it. */
export async function fetchDerivative(target, accept) {
  const startedAt = performance.now();
  const answer = await fetch(target, { cache: 'no-store', credentials: 'omit', headers: accept ? { Accept: accept } : {} });
  const body = await answer.blob();
  const cache = (answer.headers.get('x-cache') || '').split(' ')[0];
  return { answer, body, cache, type: answer.headers.get('content-type') || '', ms: performance.now() - startedAt };
}

/**
 * Request a derivative, signed by `sign` if it is refused (403). The result has the URL in `target`, and in `signed` what
 * `sign(target)` returned, if it was called: `{ target, expires_s, is_private }` or `{ detail }`.
 */
export async function fetchAllowed(target, sign, accept) {
  const found = await fetchDerivative(target, accept);
  if (found.answer.status !== 403) return { ...found, target };
  const signed = await sign(target);
  return signed.target ? { ...await fetchDerivative(signed.target, accept), target: signed.target, signed } : { ...found, target, signed };
}

/** Return an image of `target`, signed by `sign` if it cannot be displayed without. `failed` is called if it still cannot. */
export function allowedImage(target, sign, attributes, failed = () => {}) {
  const image = make('img', { loading: 'lazy', ...attributes });
  image.onerror = async () => {
    image.onerror = failed;
    const signed = await sign(target);
    if (signed.target) image.src = signed.target;
    else failed();
  };
  image.src = target;
  return image;
}

export const isImage = result => result.answer.ok && result.type.startsWith('image/');

/** Return the element that displays a result. */
export async function render(result) {
  if (isImage(result)) {
    const image = make('img', { alt: '', src: URL.createObjectURL(result.body) });
    await image.decode().catch(() => {});
    return image;
  }
  const text = await result.body.text();
  try {
    return make('pre', { textContent: JSON.stringify(JSON.parse(text), null, 1) });
  } catch {
    return make('pre', { textContent: text });
  }
}

/** Return status, time, size and headers of a result as rows of a table. */
export const headerRows = result => [
  ['status', `${result.answer.status} ${result.answer.statusText}`], ['time', `${Math.round(result.ms)} ms`],
  ['size', bytes(result.body.size)], ...result.answer.headers,
].map(([name, value]) => make('tr', {}, make('td', { textContent: name }), make('td', { textContent: value })));
