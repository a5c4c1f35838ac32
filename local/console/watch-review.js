// Pictures that models flagged and people decide on, and the log of who decided what.

import { make } from './page.js';
import { ask, empty, facts, keyLink, pictureFrom, renew, when, chip } from './watch-page.js';

const NAME = 'darkroom-reviewer';
const DONE = { release: 'Released: it is being served.', confirm: 'Confirmed: it stays held.' };

const remembered = () => { try { return localStorage.getItem(NAME) || ''; } catch { return ''; } };
const remember = name => { try { localStorage.setItem(NAME, name); } catch { /* then it is asked for again */ } };

// Whoever reviews decides when to see it.
function veiled(each) {
  const picture = pictureFrom(each.picture, `Held for review: ${each.key}`);
  picture.classList.add('veiled');
  const show = make('button', { type: 'button', className: 'unveil', textContent: 'Show' });
  show.onclick = () => {
    const hidden = picture.classList.toggle('veiled');
    show.textContent = hidden ? 'Show' : 'Hide';
  };
  return make('div', { className: 'held' }, picture, ...(each.picture ? [show] : []));
}

async function decide(each, decision, name, told, buttons) {
  if (!name.value.trim()) {
    name.setAttribute('aria-invalid', 'true');
    name.focus();
    told.textContent = 'Your name first: decisions are kept with it.';
    return;
  }
  remember(name.value.trim());
  for (const button of buttons) button.disabled = true;
  told.textContent = 'Sending…';
  try {
    await ask('review', {}, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key: each.key, decision, by: name.value.trim() }),
    });
    told.textContent = DONE[decision];
  } catch (error) {
    told.textContent = error.message;
    for (const button of buttons) button.disabled = false;
  }
}

function card(each, name) {
  const told = make('p', { className: 'detail' });
  told.setAttribute('role', 'status');
  const release = make('button', { type: 'button', textContent: 'Release' });
  const confirm = make('button', { type: 'button', className: 'quiet', textContent: 'Confirm' });
  release.dataset.id = `release ${each.key}`;
  confirm.dataset.id = `confirm ${each.key}`;
  release.setAttribute('aria-label', `Release ${each.key}: serve it`);
  confirm.setAttribute('aria-label', `Confirm that ${each.key} stays held`);
  for (const [button, decision] of [[release, 'release'], [confirm, 'confirm']]) {
    button.onclick = () => decide(each, decision, name, told, [release, confirm]);
  }
  const score = each.score === null || each.score === undefined ? 'no score' : `score ${Math.round(each.score * 100)} %`;
  return make('li', { className: 'file review' }, veiled(each), make('div', { className: 'told' },
    make('div', { className: 'head' }, keyLink(each.key), chip('miss', score)),
    make('div', { className: 'detail' }, 'held since ', when(each.since_s)),
    make('div', { className: 'actions' }, release, confirm), told));
}

/** The view of what waits for a person. */
export async function reviewView(root) {
  const body = make('div', {});
  const name = make('input', { type: 'text', value: remembered(), placeholder: 'who decides', spellcheck: false });
  name.oninput = () => name.removeAttribute('aria-invalid');
  root.append(make('form', { className: 'search', onsubmit: event => event.preventDefault() },
    make('label', {}, make('span', { textContent: 'Your name, for the audit log' }), name)), body);
  return async () => {
    const told = await ask('review');
    renew(body, told, () => (told.length
      ? make('ul', { className: 'files' }, ...told.map(each => card(each, name)))
      : empty('Nobody waits for you', 'Pictures that the moderation model flags are held, and stand here until a person releases or confirms them.')));
  };
}

function entry(each) {
  const { at_s, at, kind, subject, by, ...rest } = each;
  const time = at_s ? when(at_s) : at ? when(Date.parse(at) / 1000) : '';
  return make('li', {}, make('div', { className: 'log' }, time, chip(kind === 'erasure' ? 'error' : kind === 'override' ? 'miss' : 'hit', kind),
    make('span', { className: 'message', textContent: subject }), make('span', { className: 'function', textContent: `by ${by}` })),
  facts(Object.entries(rest.facts ? { ...rest.facts } : rest)));
}

/** The view of the audit log. */
export async function auditView(root) {
  const body = make('div', {});
  root.append(body);
  return async () => {
    const told = await ask('audit', { limit: 100 });
    renew(body, told, () => (told.length
      ? make('ol', { className: 'rows logs' }, ...told.map(entry))
      : empty('No entry yet', 'Decisions of the monitor, overrides, releases and erasures are written here once, and cannot be changed.')));
  };
}
