// Review of flagged images, and the audit log.

import { make } from './page.js';
import { request, empty, facts, keyLink, loadImage, updateIfChanged, when, chip } from './watch-page.js';

const NAME = 'darkroom-reviewer';
const DONE = { release: 'Released: it is served.', confirm: 'Confirmed: it stays held.' };

const remembered = () => { try { return localStorage.getItem(NAME) || ''; } catch { return ''; } };
const remember = name => { try { localStorage.setItem(NAME, name); } catch { /* the name has to be entered again */ } };

// The image is blurred until the reviewer shows it.
function buildVeiled(each) {
  const image = loadImage(each.picture, `Held for review: ${each.key}`);
  image.classList.add('veiled');
  const show = make('button', { type: 'button', className: 'unveil', textContent: 'Show' });
  show.onclick = () => {
    const hidden = image.classList.toggle('veiled');
    show.textContent = hidden ? 'Show' : 'Hide';
  };
  return make('div', { className: 'held' }, image, ...(each.picture ? [show] : []));
}

async function decide(each, decision, name, status, buttons) {
  if (!name.value.trim()) {
    name.setAttribute('aria-invalid', 'true');
    name.focus();
    status.textContent = 'Enter your name: it is stored with the decision.';
    return;
  }
  remember(name.value.trim());
  for (const button of buttons) button.disabled = true;
  status.textContent = 'Sending…';
  try {
    await request('review', {}, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key: each.key, decision, by: name.value.trim() }),
    });
    status.textContent = DONE[decision];
  } catch (error) {
    status.textContent = error.message;
    for (const button of buttons) button.disabled = false;
  }
}

function card(each, name) {
  const status = make('p', { className: 'detail' });
  status.setAttribute('role', 'status');
  const release = make('button', { type: 'button', textContent: 'Release' });
  const confirm = make('button', { type: 'button', className: 'quiet', textContent: 'Confirm' });
  release.dataset.id = `release ${each.key}`;
  confirm.dataset.id = `confirm ${each.key}`;
  release.setAttribute('aria-label', `Release ${each.key}: serve it`);
  confirm.setAttribute('aria-label', `Confirm that ${each.key} stays held`);
  for (const [button, decision] of [[release, 'release'], [confirm, 'confirm']]) {
    button.onclick = () => decide(each, decision, name, status, [release, confirm]);
  }
  const score = each.score === null || each.score === undefined ? 'no score' : `score ${Math.round(each.score * 100)} %`;
  return make('li', { className: 'file review' }, buildVeiled(each), make('div', { className: 'card-body' },
    make('div', { className: 'head' }, keyLink(each.key), chip('miss', score)),
    make('div', { className: 'detail' }, 'held since ', when(each.since_s)),
    make('div', { className: 'actions' }, release, confirm), status));
}

/** Return the view of images that wait for a review. */
export async function reviewView(root) {
  const body = make('div', {});
  const name = make('input', { type: 'text', value: remembered(), placeholder: 'reviewer', spellcheck: false });
  name.oninput = () => name.removeAttribute('aria-invalid');
  root.append(make('form', { className: 'search', onsubmit: event => event.preventDefault() },
    make('label', {}, make('span', { textContent: 'Your name, for the audit log' }), name)), body);
  return async () => {
    const data = await request('review');
    updateIfChanged(body, data, () => (data.length
      ? make('ul', { className: 'files' }, ...data.map(each => card(each, name)))
      : empty('No reviews', 'Images that the moderation model flags are held, and listed here until a reviewer releases or confirms them.')));
  };
}

function entry(each) {
  const { at_s, at, kind, subject, by, ...rest } = each;
  const time = at_s ? when(at_s) : at ? when(Date.parse(at) / 1000) : '';
  return make('li', {}, make('div', { className: 'log' }, time, chip(kind === 'erasure' ? 'error' : kind === 'override' ? 'miss' : 'hit', kind),
    make('span', { className: 'message', textContent: subject }), make('span', { className: 'function', textContent: `by ${by}` })),
  facts(Object.entries(rest.facts ? { ...rest.facts } : rest)));
}

/** Return the view of the audit log. */
export async function auditView(root) {
  const body = make('div', {});
  root.append(body);
  return async () => {
    const data = await request('audit', { limit: 100 });
    updateIfChanged(body, data, () => (data.length
      ? make('ol', { className: 'rows logs' }, ...data.map(entry))
      : empty('No entries', 'Decisions of the monitor, overrides, releases and erasures. Entries cannot be changed.')));
  };
}
