// One file on the upload page: its card, from its choice to its fate.

import { bytes, encodeKey, make } from './page.js';

// A preset's picture through the CDN, with its size.
async function printOf(key, preset) {
  const path = `/${encodeKey(key)}?preset=${preset}`;
  const picture = make('img', { alt: `${key}, ${preset}` });
  const size = make('span', {}, make('b', { textContent: preset }));
  const answer = await fetch(path).catch(() => null);
  if (answer?.ok) {
    const body = await answer.blob();
    picture.src = URL.createObjectURL(body);
    size.append(` ${bytes(body.size)}`);
  } else {
    size.append(` ${answer ? answer.status : 'no answer'}`);
  }
  return make('li', {}, make('a', { href: path, target: '_blank' }, picture, size));
}

function sizes(sent, before, note) {
  const words = before === sent.size ? bytes(before) : `${bytes(before)} → ${bytes(sent.size)}`;
  return note ? `${words} · ${note}` : words;
}

const HELD = 'Models flagged it: it is kept and not served. A person can let it pass: ./darkroom release <key>.';
const REFUSED = 'Not taken in; a copy with the reason is kept in quarantine.';

/** The card of `file`. `key` is empty until it is known. */
export function fileCard(file) {
  const chip = make('span', { className: 'chip going', textContent: 'waiting' });
  const bar = make('progress', { max: 1, value: 0, hidden: true });
  bar.setAttribute('aria-label', `${file.name} sent`);
  const detail = make('div', { className: 'detail', textContent: bytes(file.size) });
  const rest = make('div', { className: 'told-rest' });
  const picture = make('img', { alt: '', src: URL.createObjectURL(file) });
  picture.onerror = () => picture.remove(); // a type that this browser does not show
  const told = make('div', { className: 'told' },
    make('div', { className: 'head' }, make('b', { textContent: file.name }), chip), detail, bar, rest);
  const item = make('li', { className: 'file' }, make('div', { className: 'negative' }, picture), told);

  const state = (name, words) => {
    chip.className = `chip ${name}`;
    chip.textContent = words;
  };

  return {
    element: item,
    key: '',

    tell(words) {
      state('going', words);
      bar.hidden = words !== 'sending';
      rest.replaceChildren();
    },

    describe(sent, before, made) {
      detail.replaceChildren(make('code', { textContent: sent.key }), ` · ${sizes(sent, before, made.note)}`);
    },

    progress(share) {
      bar.value = share;
      chip.textContent = `sending ${Math.round(share * 100)} %`;
    },

    async ready(fate, presets) {
      state('ready', 'ready');
      bar.hidden = true;
      const { format, width, height } = fate.picture;
      const facts = [`${width} × ${height} ${format}`];
      if (fate.same_as) facts.push(`same bytes as ${fate.same_as}`);
      const prints = make('ul', { className: 'presets' });
      prints.setAttribute('aria-label', `Prints of ${file.name}`);
      rest.replaceChildren(make('div', { className: 'detail', textContent: `Taken in: ${facts.join(' · ')}` }), prints);
      prints.append(...await Promise.all((await presets).map(preset => printOf(fate.key, preset))));
    },

    refused(fate) {
      state('refused', 'refused');
      bar.hidden = true;
      rest.replaceChildren(
        make('div', { className: 'reason' }, make('code', { textContent: fate.code }), ` ${fate.reason}`),
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
