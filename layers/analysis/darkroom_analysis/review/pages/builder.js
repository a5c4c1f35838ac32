// The URL builder: a URL from options or typed, signed if the unsigned set does not contain it.

import { AVIF, fetchAllowed, headerRows, isImage, render } from './derivative.js';
import { buildForm } from './form.js';
import { assign, bytes, encodeKey, make } from './page.js';
import { moment } from './times.js';

/** After the last key, before a URL is requested. */
const PAUSE_MS = 350;

/**
 * Return path and query of a URL of any host, or of a path. `dialects` are names by prefix; a host such as
 * thumbor.example.com has URLs without the prefix.
 */
export function targetOf(text, dialects = {}) {
  const trimmed = text.trim();
  const [, host = '', rest = trimmed] = /^https?:\/\/([^/]+)(.*)$/.exec(trimmed) || [];
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const [prefix = ''] = Object.entries(dialects).find(([, name]) => name === host.split('.')[0]) || [];
  return target.startsWith(`${prefix}/`) ? target : prefix + target;
}

/** Return the name of the service whose URL `target` is, "" for Darkroom's own. */
export const dialectOf = (target, dialects = {}) => (Object.entries(dialects).find(([prefix]) => target.startsWith(`${prefix}/`)) || ['', ''])[1];

const keyOf = path => {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return '';
  }
};

const describeResult = (found, image) => (isImage(found)
  ? `${image.naturalWidth} × ${image.naturalHeight} px, ${found.type.replace('image/', '')}, ${bytes(found.body.size)}.`
  : `Response: ${found.answer.status}.`);

function describeSignature({ target, detail, expires_s: expires, is_private: isPrivate }) {
  if (!target) return detail;
  const until = expires ? ` until ${moment(expires)}` : '';
  return isPrivate
    ? `Private image: each link needs a signature with an expiry (exp). This link is valid${until}.`
    : `Outside the unsigned set (the edge function answered 403), so this URL is signed with the key of the stack${until && `, valid${until}`}.`;
}

/**
 * Append the builder to `root`. `sign` is that of `fetchAllowed`. After each request, `shown` is called with the response
 * and `{ key, dialect, plain, target, signed, query, image }`, without a key for a dialect; it may replace the element of
 * the image. Returns `show(target)`, which has no signature.
 */
export function urlBuilder(root, table, sign, shown = () => {}) {
  const form = make('form', { id: 'form', autocomplete: 'off' });
  const url = make('input', { id: 'url', className: 'url', type: 'text', spellcheck: false, ariaLabel: 'URL of the image' });
  const copy = make('button', { type: 'button', id: 'copy', className: 'quiet', textContent: 'Copy' });
  const guard = make('p', { id: 'guard', className: 'note', role: 'status' });
  const result = make('div', { id: 'shown', className: 'shown' });
  const headers = make('table', { id: 'headers', className: 'headers' });
  const extra = make('div', { className: 'extra' });
  copy.onclick = () => navigator.clipboard.writeText(url.value);
  root.append(make('div', { className: 'workbench' },
    make('div', { className: 'result' }, make('div', { className: 'url-row' }, url, copy), guard, result),
    form,
    make('div', { className: 'about' }, extra, make('details', {}, make('summary', { textContent: 'Response headers' }), headers))));
  const dialects = table.dialects || {};
  let path = '/';
  let dialect = '';
  let foreign = ''; // a URL of a dialect, which no option of the form changes
  let number = 0;
  let waiting = 0;

  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(request, PAUSE_MS);
  };
  const options = buildForm(form, table, () => {
    url.value = location.origin + path + options.query();
    later();
  });
  const read = target => {
    dialect = dialectOf(target, dialects);
    foreign = dialect && target;
    form.inert = form.hidden = Boolean(dialect);
    [path] = target.split('?');
    options.fill(dialect ? '' : target.slice(path.length));
  };
  url.addEventListener('input', () => {
    read(targetOf(url.value, dialects));
    later();
  });

  async function request() {
    number += 1;
    const own = number;
    const plain = foreign || path + options.query();
    const found = await fetchAllowed(plain, sign, AVIF);
    const { target, signed } = found;
    const image = await render(found);
    if (own !== number) return; // options have changed since
    if (isImage(found)) assign(image, { alt: target });
    if (document.activeElement !== url) url.value = location.origin + target;
    guard.textContent = [describeResult(found, image), dialect && `A URL of ${dialect}, which has its options.`, signed && describeSignature(signed)].filter(Boolean).join(' ');
    result.replaceChildren(image);
    headers.replaceChildren(...headerRows(found));
    shown(found, { key: dialect ? '' : keyOf(path), dialect, plain, target, signed, query: options.query(), image, result, extra });
  }

  return async target => {
    read(target);
    url.value = location.origin + (foreign || path + options.query());
    clearTimeout(waiting);
    await request();
  };
}

/** Return the target of a key without options. */
export const targetOfKey = key => `/${encodeKey(key)}`;
