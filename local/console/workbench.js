// One image and its URL: options, result, why it is so, bytes for each browser, code to paste, and a comparison.

import { targetOfKey, urlBuilder } from './builder.js';
import { compare } from './compare.js';
import { json } from './control.js';
import { AVIF, fetchDerivative, isImage } from './derivative.js';
import { parseQuery } from './form.js';
import { bytes, make } from './page.js';
import { snippets } from './snippets.js';
import { describeWhy } from './why.js';

const BROWSERS = [
  ['accepts AVIF', AVIF], ['accepts WebP', 'image/webp,image/*,*/*;q=0.8'], ['accepts neither', 'image/png,image/jpeg,*/*;q=0.5'],
];

// The time of a render in ms, which only a response that was rendered now states.
function renderMs(found) {
  if (found.cache !== 'Miss') return null;
  const stages = (found.answer.headers.get('server-timing') || '').matchAll(/dur=([\d.]+)/g);
  return [...stages].reduce((sum, [, ms]) => sum + Number(ms), 0) || null;
}

const cell = (tag, text) => make(tag, { textContent: text });

async function listBrowsers(target, first) {
  const rows = [];
  for (const [name, accept] of BROWSERS) {
    const found = accept === AVIF ? first : await fetchDerivative(target, accept);
    rows.push(make('tr', {}, cell('td', name), cell('td', found.answer.ok ? found.type.replace('image/', '') : String(found.answer.status)), cell('td', bytes(found.body.size))));
  }
  return [make('tr', {}, ...['Browser', 'Format', 'Size'].map(name => cell('th', name))), ...rows];
}

// A row of buttons, one of which is pressed, and the code of that one.
function codePanel() {
  let chosen = 'HTML';
  const tabs = make('div', { className: 'code-tabs' });
  const code = make('pre', { className: 'code', tabIndex: 0 });
  const note = make('p', { className: 'note' });
  const copy = make('button', { type: 'button', className: 'quiet', textContent: 'Copy the code' });
  copy.onclick = () => navigator.clipboard.writeText(code.textContent);
  const show = list => {
    const one = list.find(each => each.name === chosen) || list[0];
    tabs.replaceChildren(...list.map(each => {
      const tab = make('button', { type: 'button', className: 'code-tab', textContent: each.name, onclick: () => { chosen = each.name; show(list); } });
      tab.setAttribute('aria-pressed', String(each === one));
      return tab;
    }));
    code.textContent = one.code;
    note.textContent = one.note;
  };
  return { show, parts: [tabs, code, note, make('div', { className: 'actions' }, copy)] };
}

/**
 * Append the workbench to `root`. `report(found)` is called after each request, `select(key)` if it is of an image. Returns
 * `show(target)`.
 */
export function workbench(root, table, sign, report, select) {
  const why = make('div', { id: 'why', className: 'panel' });
  const browsers = make('table', { id: 'browsers', className: 'headers' });
  const code = codePanel();
  const keep = make('button', { type: 'button', id: 'keep', className: 'quiet', textContent: 'Compare with what comes next' });
  let kept = null;
  let number = 0;
  let latest = null;
  keep.onclick = () => {
    kept = kept ? null : latest;
    keep.textContent = kept ? 'Stop comparing' : 'Compare with what comes next';
    if (!kept) latest.result.replaceChildren(latest.image);
  };

  function showImage(shown, found) {
    latest = { ...shown, size: found.body.size };
    keep.disabled = !isImage(found);
    if (!kept || !isImage(found) || kept.target === shown.target) return;
    const names = [kept, latest].map(one => `${one.query || 'no options'}, ${bytes(one.size)}`);
    shown.result.replaceChildren(compare(kept.image.cloneNode(), shown.image.cloneNode(), names));
  }

  async function showWhy(shown, found) {
    const spent = renderMs(found);
    const query = new URLSearchParams({ target: shown.target, ...(spent ? { 'render-ms': spent } : {}) });
    const explained = await json(`/explain?${query}`).catch(error => ({ detail: `There is no explanation: ${error.message}` }));
    if (found.answer.ok && explained.caching) explained.caching.cached_error = null; // the CDN has just returned the image
    return explained.costs ? { explained, list: describeWhy(explained, `${targetOfKey(explained.key || shown.key)}?w=320`, found) } : { explained, list: make('p', { textContent: explained.detail }) };
  }

  async function showDetails(found, shown) {
    report(found);
    number += 1;
    const own = number;
    history.replaceState(null, '', `#${shown.plain}`);
    showImage(shown, found);
    if (!shown.extra.children.length) shown.extra.append(...panels());
    const { explained, list } = await showWhy(shown, found);
    if (own !== number) return;
    why.replaceChildren(list);
    const key = explained.key || shown.key;
    if (key && (explained.master || found.answer.ok)) select(key);
    const of = explained.image && explained.image.of;
    code.show(snippets({
      base: location.origin,
      key,
      dialect: shown.dialect,
      options: [...parseQuery(shown.query, table)],
      url: location.origin + shown.target,
      isSigned: shown.plain !== shown.target,
      isPrivate: Boolean(shown.signed && shown.signed.is_private),
      size: isImage(found) ? { width: shown.image.naturalWidth, height: shown.image.naturalHeight } : null,
      master: of ? { width: of.width, height: of.height } : null,
    }));
    const rows = await listBrowsers(shown.target, found);
    if (own === number) browsers.replaceChildren(...rows); // else another URL is shown by now
  }

  const panel = (title, open, ...content) => make('details', { open }, make('summary', { textContent: title }), ...content);
  const panels = () => [
    make('div', { className: 'actions' }, keep),
    panel('Why', true, why),
    panel('Bytes for each browser', true, browsers),
    panel('Code to paste', true, ...code.parts),
  ];
  return urlBuilder(root, table, sign, showDetails);
}
