// The URL builder: a URL from options, signed if the unsigned set does not contain it.

import { AVIF, fetchDerivative, headerRows, isImage, render } from './derivative.js';
import { buildForm } from './form.js';
import { assign, encodeKey, make } from './page.js';

/** Append the builder to `root`. `sign(target)` returns `{ target }` or `{ detail }`; `shown` is called after each request. */
export function urlBuilder(root, table, sign, shown = () => {}) {
  const form = make('form', { id: 'form', autocomplete: 'off' });
  const url = make('output', { id: 'url', className: 'url' });
  const copy = make('button', { type: 'button', id: 'copy', className: 'quiet', textContent: 'Copy' });
  const guard = make('p', { id: 'guard', className: 'note' });
  const result = make('div', { id: 'shown', className: 'shown' });
  const headers = make('table', { id: 'headers', className: 'headers' });
  copy.onclick = () => navigator.clipboard.writeText(url.textContent);
  root.append(make('div', { className: 'workbench' }, form, make('div', { className: 'result' },
    make('div', { className: 'url-row' }, url, copy), guard, result, headers)));
  let key = '';
  let number = 0;
  const options = buildForm(form, table, () => show());

  async function show(chosen = key) {
    key = chosen;
    number += 1;
    const own = number;
    const plain = `/${encodeKey(key)}${options.query()}`;
    let target = plain;
    let found = await fetchDerivative(target, AVIF);
    let text = '';
    if (found.answer.status === 403) {
      const signed = await sign(plain);
      text = signed.target
        ? 'Outside the unsigned set (the edge function answered 403), so this URL is signed with the key of the stack.'
        : signed.detail;
      if (signed.target) found = await fetchDerivative(target = signed.target, AVIF);
    }
    const image = await render(found);
    if (own !== number) return; // options have changed since
    if (isImage(found)) assign(image, { alt: target });
    url.textContent = location.origin + target;
    guard.textContent = text;
    result.replaceChildren(image);
    headers.replaceChildren(...headerRows(found));
    shown(found);
  }
  return show;
}
