// Review of flagged images: veiled images, the explanation of each score, and decisions.

import { address, request, send } from './api.js';
import { describe, occlusionMap, scoreText } from './explanation.js';
import { assign, make } from './page.js';
import { moment } from './times.js';
import { chip, empty, when } from './view.js';

const NAME = 'darkroom-reviewer';
const SENT = { release: 'Released: ingest serves it.', confirm: 'Confirmed: it stays held.' };
const DONE = { release: 'released', confirm: 'confirmed' };
const KEYS = [['J K', 'next, previous image'], ['S', 'show or veil'], ['W', 'why it is flagged'], ['R C', 'go to Release, Confirm'], ['Enter', 'press']];

const remembered = () => { try { return localStorage.getItem(NAME) || ''; } catch { return ''; } };
const remember = name => { try { localStorage.setItem(NAME, name); } catch { /* the name has to be entered again */ } };

const button = (text, label, quiet = true) => {
  const made = make('button', { type: 'button', textContent: text, className: quiet ? 'quiet' : '' });
  made.setAttribute('aria-label', label);
  return made;
};

// The image is blurred until the reviewer shows it. The map can be seen without it.
function veiledImage(each) {
  const image = make('img', { alt: `Held for review: ${each.key}`, loading: 'lazy' });
  const frame = make('div', { className: 'preview veiled' }, image);
  image.onload = () => frame.classList.add('loaded');
  image.onerror = () => frame.classList.add('missing');
  const use = view => {
    frame.classList.remove('missing', 'loaded');
    image.src = address('review/image', { key: each.key, version: each.version, ...(view ? { view } : {}) });
  };
  use(0);
  return { frame, use };
}

function toggle(control, frame, name, texts) {
  const set = on => {
    frame.classList.toggle(name, on);
    control.setAttribute('aria-pressed', String(on));
    control.textContent = texts[on ? 1 : 0];
  };
  control.onclick = () => set(!frame.classList.contains(name));
  set(frame.classList.contains(name));
}

// Load why the image is flagged once its card is near the window.
function explainWhenSeen(item, each, shown) {
  const observer = new IntersectionObserver(async entries => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    try {
      shown(await request('review/reason', { key: each.key }));
    } catch (error) {
      shown({ labels: [], explanation: null, failed: error.message });
    }
  }, { rootMargin: '400px' });
  observer.observe(item);
}

const conflictText = ({ by, decision, at_s }) => (by ? `${by} has ${DONE[decision]} it at ${moment(at_s)}.` : '');

function card(each, context) {
  const { frame, use } = veiledImage(each);
  const score = chip('miss', '…');
  const reason = make('div', { className: 'reason' });
  const status = make('p', { className: 'status' });
  status.setAttribute('role', 'status');
  const show = button('Show', `Show ${each.key}`);
  const why = button('Why', `Show where in ${each.key} the score comes from`);
  const release = button('Release', `Release ${each.key}: serve it`, false);
  const confirm = button('Confirm', `Confirm that ${each.key} stays held`);
  const decisions = [release, confirm];
  why.disabled = true;
  toggle(show, frame, 'unveiled', ['Show', 'Veil']);
  release.dataset.id = `release ${each.key}`;
  confirm.dataset.id = `confirm ${each.key}`;
  const size = each.width ? `${each.width} × ${each.height} ${each.format || ''}` : '';
  const item = make('li', { className: 'file review', tabIndex: -1 }, frame, make('div', { className: 'card-body' },
    make('div', { className: 'head' }, make('b', { className: 'key', textContent: each.key }), score),
    make('div', { className: 'detail' }, size, size ? ' · ' : '', 'held since ', when(each.since_s)), reason,
    make('div', { className: 'actions' }, show, why, ...decisions), status));
  assign(item, { ariaLabel: each.key });

  explainWhenSeen(item, each, found => {
    score.textContent = scoreText(found.labels);
    const words = found.failed ? [found.failed] : describe(found);
    reason.replaceChildren(...words.map(text => make('p', { textContent: text })));
    if (found.model) reason.append(make('p', { className: 'detail', textContent: `Model: ${found.model}` }));
    if (!found.explanation) return;
    if (found.explanation.view) use(found.explanation.view);
    frame.append(occlusionMap(found.explanation));
    why.disabled = false;
    toggle(why, frame, 'explained', ['Why', 'Hide why']);
  });

  const decide = async decision => {
    const name = context.name();
    if (name === null) {
      status.textContent = 'Enter your name: it is stored with the decision.';
      return;
    }
    item.focus(); // a disabled button cannot keep the focus
    for (const one of decisions) one.disabled = true;
    status.className = 'status';
    status.textContent = 'Sending…';
    try {
      await send('review', { key: each.key, decision, version: each.version }, name);
      status.textContent = SENT[decision];
    } catch (error) {
      status.textContent = conflictText(error.problem) || `${error.message}.`;
      status.classList.add('failed');
      if (error.status === 409 || error.status === 404) conflict(); // another person was faster
      else for (const one of decisions) one.disabled = false;
    }
  };
  const conflict = () => {
    item.classList.add('conflict');
    const dismiss = button('Dismiss', `Dismiss ${each.key}`);
    dismiss.onclick = () => { item.classList.remove('conflict'); context.refresh(); };
    status.append(' Your decision changed nothing. ', dismiss);
    dismiss.focus();
  };
  release.onclick = () => decide('release');
  confirm.onclick = () => decide('confirm');
  item.controls = { s: () => show.click(), w: () => why.click(), r: () => release.focus(), c: () => confirm.focus() };
  return item;
}

// Move between cards by keys; a key acts on the card with the focus.
function connectKeys(list) {
  list.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const item = event.target.closest('.review');
    const letter = event.key.toLowerCase();
    const step = { j: 1, k: -1 }[letter];
    if (step) {
      const items = [...list.children];
      items[Math.max(0, Math.min(items.length - 1, items.indexOf(item) + step))]?.focus();
    } else if (item?.controls[letter]) {
      item.controls[letter]();
    } else {
      return;
    }
    event.preventDefault();
  });
}

// A field for the name, where the session does not have one; `name()` returns null while it is empty.
function nameField(root, session) {
  if (session.named_by === 'account') return () => '';
  const input = make('input', { type: 'text', value: remembered(), placeholder: 'reviewer', spellcheck: false });
  input.oninput = () => input.removeAttribute('aria-invalid');
  root.append(make('form', { className: 'search', onsubmit: event => event.preventDefault() },
    make('label', {}, make('span', { textContent: 'Your name, for the audit log' }), input)));
  return () => {
    const name = input.value.trim();
    if (name) {
      remember(name);
      return name;
    }
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    return null;
  };
}

/** Return the view of images that wait for a review. Cards stay as they are while the list is updated. */
export async function reviewView(root, { session }) {
  const name = nameField(root, session);
  const keys = make('p', { className: 'note keys' }, ...KEYS.flatMap(([key, does]) => [make('kbd', { textContent: key }), ` ${does}  `]));
  const list = make('ul', { className: 'files reviews' });
  const none = empty('No reviews', 'Images that the moderation model flags are held, and listed here until a reviewer releases or confirms them.');
  none.hidden = keys.hidden = true; // until the list is known
  root.append(keys, list, none);
  connectKeys(list);
  const cards = new Map();

  const refresh = async () => {
    const data = await request('review');
    const wanted = new Map(data.map(each => [`${each.version} ${each.key}`, each]));
    for (const [id, item] of [...cards]) {
      if (wanted.has(id) || item.classList.contains('conflict')) continue;
      const next = item.contains(document.activeElement) ? item.nextElementSibling || item.previousElementSibling : null;
      item.remove();
      cards.delete(id);
      next?.focus();
    }
    for (const [id, each] of wanted) {
      if (cards.has(id)) continue;
      cards.set(id, card(each, { name, refresh }));
      list.append(cards.get(id));
    }
    if (list.firstElementChild && !list.querySelector('[tabindex="0"]')) list.firstElementChild.tabIndex = 0;
    none.hidden = cards.size > 0;
    keys.hidden = !cards.size;
  };
  return refresh;
}
