// The upload page: the element of frontends/, and in its cards what ingest and the models made of each image.

import { json, sign } from './control.js';
import { fetchAllowed, isImage } from './derivative.js';
import { bytes, element, encodeKey, make } from './page.js';
import { tagChips, waitForTags } from './tags.js';
import { hasEnded } from './upload.mjs';
import './upload-element.mjs';

const upload = element('upload');
const presets = json('/options').then(table => table.at_ingest);

const HELD = 'A reviewer can release it: ./darkroom release --local <key>.';
const REFUSED = 'A copy with the reason is in quarantine.';

function readForm() {
  const folder = element('folder').value.trim().replace(/^\/+|\/+$/g, '');
  upload.setAttribute('prefix', folder && `${folder}/`);
  upload.prepare = element('prepare').checked
    ? { maxSide: Number(element('longest').value), type: element('type').value, quality: Number(element('quality').value) / 100 }
    : null;
  element('quality-shown').textContent = element('quality').value;
}

function count() {
  const { items } = upload.uploader;
  element('count-going').textContent = items.filter(item => !hasEnded(item)).length;
  element('count-ready').textContent = items.filter(item => item.state === 'ready').length;
  element('count-refused').textContent = items.filter(item => ['refused', 'held', 'failed'].includes(item.state)).length;
}

// Load the derivative of a preset, with its size.
async function loadPreset(key, preset) {
  const path = `/${encodeKey(key)}?preset=${preset}`;
  const image = make('img', { alt: `${key}, ${preset}` });
  const size = make('span', {}, make('b', { textContent: preset }));
  const found = await fetchAllowed(path, sign).catch(() => null);
  if (found && isImage(found)) {
    image.src = URL.createObjectURL(found.body);
    size.append(` ${bytes(found.body.size)}`);
  } else {
    size.append(` ${found ? found.answer.status : 'no response'}`);
  }
  return make('li', {}, make('a', { href: found ? found.target : path, target: '_blank' }, image, size));
}

function describeReady({ name, result }) {
  const { format, width, height } = result.picture;
  const facts = [`${width} × ${height} ${format}`];
  if (result.same_as) facts.push(`same content as ${result.same_as}`);
  const list = make('ul', { className: 'presets' });
  list.setAttribute('aria-label', `Derivatives of ${name}`);
  const tags = make('div', { className: 'tags' });
  tags.setAttribute('aria-label', `Tags of ${name}`);
  tags.setAttribute('aria-live', 'polite');
  waitForTags(result.key).then(found => { if (found) tags.replaceChildren(tagChips(found)); });
  presets.then(async names => list.append(...await Promise.all(names.map(preset => loadPreset(result.key, preset)))));
  const open = make('a', { href: `/#/${encodeKey(result.key)}`, textContent: 'options and code to paste' });
  return [make('div', { className: 'detail' }, `Ingested: ${facts.join(' · ')} · `, open), list, tags];
}

function describe(item) {
  if (item.state === 'ready') return describeReady(item);
  const note = { refused: REFUSED, held: HELD }[item.state];
  return note ? [make('div', { className: 'detail', textContent: note })] : [];
}

upload.addEventListener('darkroom-upload-change', count);
upload.addEventListener('darkroom-upload-end', ({ detail: item }) => {
  const slot = `file-${item.id}`;
  upload.querySelector(`[slot="${slot}"]`)?.remove();
  upload.append(make('div', { slot, className: 'outcome' }, ...describe(item)));
});
element('form').addEventListener('submit', event => event.preventDefault());
element('form').addEventListener('input', readForm);
readForm();
