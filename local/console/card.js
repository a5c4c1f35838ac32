// The card of one file on the upload page, from selection to result.

import { bytes, encodeKey, make } from './page.js';
import { tagChips, waitForTags } from './tags.js';

// Load the derivative of a preset, with its size.
async function loadPreset(key, preset) {
  const path = `/${encodeKey(key)}?preset=${preset}`;
  const image = make('img', { alt: `${key}, ${preset}` });
  const size = make('span', {}, make('b', { textContent: preset }));
  const answer = await fetch(path).catch(() => null);
  if (answer?.ok) {
    const body = await answer.blob();
    image.src = URL.createObjectURL(body);
    size.append(` ${bytes(body.size)}`);
  } else {
    size.append(` ${answer ? answer.status : 'no response'}`);
  }
  return make('li', {}, make('a', { href: path, target: '_blank' }, image, size));
}

function sizes(sent, before, note) {
  const text = before === sent.size ? bytes(before) : `${bytes(before)} → ${bytes(sent.size)}`;
  return note ? `${text} · ${note}` : text;
}

const HELD = 'Held: flagged by moderation and not served. A reviewer can release it: ./darkroom release <key>.';
const REFUSED = 'Rejected. A copy with the reason is in quarantine.';

/** Return the card of `file`. `key` is empty until it is known. */
export function fileCard(file) {
  const chip = make('span', { className: 'chip going', textContent: 'waiting' });
  const bar = make('progress', { max: 1, value: 0, hidden: true });
  bar.setAttribute('aria-label', `${file.name} sent`);
  const detail = make('div', { className: 'detail', textContent: bytes(file.size) });
  const rest = make('div', { className: 'card-rest' });
  const image = make('img', { alt: '', src: URL.createObjectURL(file) });
  image.onerror = () => image.remove(); // a type that this browser does not display
  const content = make('div', { className: 'card-body' },
    make('div', { className: 'head' }, make('b', { textContent: file.name }), chip), detail, bar, rest);
  const item = make('li', { className: 'file' }, make('div', { className: 'thumb' }, image), content);

  const state = (name, text) => {
    chip.className = `chip ${name}`;
    chip.textContent = text;
  };

  return {
    element: item,
    key: '',

    showState(text) {
      state('going', text);
      bar.hidden = text !== 'sending';
      rest.replaceChildren();
    },

    describe(sent, before, made) {
      detail.replaceChildren(make('code', { textContent: sent.key }), ` · ${sizes(sent, before, made.note)}`);
    },

    progress(share) {
      bar.value = share;
      chip.textContent = `sending ${Math.round(share * 100)} %`;
    },

    async ready(result, presets) {
      state('ready', 'ready');
      bar.hidden = true;
      const { format, width, height } = result.picture;
      const facts = [`${width} × ${height} ${format}`];
      if (result.same_as) facts.push(`same content as ${result.same_as}`);
      const list = make('ul', { className: 'presets' });
      list.setAttribute('aria-label', `Derivatives of ${file.name}`);
      const tags = make('div', { className: 'tags' });
      tags.setAttribute('aria-label', `Tags of ${file.name}`);
      tags.setAttribute('aria-live', 'polite');
      rest.replaceChildren(make('div', { className: 'detail', textContent: `Ingested: ${facts.join(' · ')}` }), list, tags);
      waitForTags(result.key).then(found => { if (found) tags.replaceChildren(tagChips(found)); });
      list.append(...await Promise.all((await presets).map(preset => loadPreset(result.key, preset))));
    },

    refused(result) {
      state('refused', 'rejected');
      bar.hidden = true;
      rest.replaceChildren(
        make('div', { className: 'reason' }, make('code', { textContent: result.code }), ` ${result.reason}`),
        make('div', { className: 'detail', textContent: REFUSED }));
    },

    held() {
      state('refused', 'held');
      bar.hidden = true;
      rest.replaceChildren(make('div', { className: 'reason', textContent: HELD }));
    },

    failed(message, again) {
      state('failed', 'failed');
      bar.hidden = true;
      rest.replaceChildren(
        make('div', { className: 'reason', textContent: message }),
        make('button', { type: 'button', textContent: 'Try again', onclick: again }));
    },
  };
}
