// The URL playground: choose an image and options, and see the URL with its response.

import { request } from './api.js';
import { targetOfKey, urlBuilder } from './builder.js';
import { allowedImage } from './derivative.js';
import { assign, encodeKey, make, moveByArrows } from './page.js';
import { empty } from './view.js';

const sign = target => request('sign', { target }).catch(error => ({ detail: error.message }));

/** Return the view of the playground. */
export async function playgroundView(root) {
  const [table, first] = await Promise.all([request('options'), request('photographs')]);
  const prefix = make('input', { type: 'search', placeholder: 'trips/', spellcheck: false });
  const strip = make('nav', { className: 'strip' });
  strip.setAttribute('aria-label', 'Images');
  moveByArrows(strip);
  const title = make('h3', { className: 'key' });
  const workbench = make('div', {});
  root.append(make('form', { className: 'search', onsubmit: event => { event.preventDefault(); find(); } },
    make('label', { className: 'wide' }, make('span', { textContent: 'Key prefix' }), prefix)), strip, title, workbench);
  const show = urlBuilder(workbench, table, sign);
  workbench.hidden = true;

  const choose = key => {
    assign(title, { textContent: key });
    workbench.hidden = false;
    for (const one of strip.children) one.setAttribute('aria-pressed', String(one.dataset.key === key));
    return show(targetOfKey(key));
  };
  const list = keys => {
    strip.replaceChildren(...(keys.length ? keys.map(key => {
      const image = allowedImage(`/${encodeKey(key)}?preset=cover`, sign, { alt: key });
      const one = make('button', { type: 'button', title: key, onclick: () => choose(key) }, image);
      one.dataset.key = key;
      return one;
    }) : [empty('No images', 'No key with an image extension starts with this prefix.')]));
  };
  const find = async () => list(await request('photographs', { prefix: prefix.value.trim() }));
  list(first);
  if (first.length) await choose(first[0]);
  return null;
}
