// What the views of the watch page share: asking the stack, links between views, and empty states.

import { CONTROL, encodeKey, make } from './page.js';
import { ago, moment } from './watch-words.js';

const API = `${CONTROL}/watch`;

/** The address of one of the stack's answers: `path` with `query`, without what is empty. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return `${API}/${path}${text ? `?${text}` : ''}`;
}

/** What the stack answers; raises Error with words that can be shown. */
export async function ask(path, query = {}, options = {}) {
  let answer;
  try {
    answer = await fetch(address(path, query), options);
  } catch {
    throw new Error('The stack does not answer. Is it still running? `make run` starts it.');
  }
  const told = await answer.json().catch(() => null);
  if (!answer.ok || told === null) {
    throw new Error(told?.detail || told?.message || `The stack answered ${answer.status} to ${path}.`);
  }
  return told;
}

/** The hash of a view: its name, perhaps a part of it, and parameters. */
export function place(view, part = '', query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return `#/${view}${part ? `/${encodeURIComponent(part)}` : ''}${text ? `?${text}` : ''}`;
}

/** The view, part and parameters of a hash. */
export function parsePlace(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view = '', ...rest] = path.split('/');
  let part = rest.join('/');
  try {
    part = decodeURIComponent(part);
  } catch { /* as it stands, then */ }
  return { view, part, query: Object.fromEntries(new URLSearchParams(query)) };
}

export const link = (text, href, attributes = {}) => make('a', { href, textContent: text, ...attributes });
export const traceLink = id => link('trace', place('traces', id), { className: 'to-trace', title: id });
export const keyLink = key => link(key, place('index', '', { key }), { className: 'key' });
export const chip = (kind, text) => make('span', { className: `chip ${kind}`, textContent: text });
export const note = text => make('p', { className: 'note', textContent: text });

/** A moment with how long ago it was. */
export function when(at_s) {
  const made = make('time', { textContent: moment(at_s), title: ago(at_s) });
  if (Number.isFinite(at_s)) made.dateTime = new Date(at_s * 1000).toISOString();
  return made;
}

/** What is shown where nothing is: what it means, and what would fill it. */
export const empty = (title, ...what) => make('div', { className: 'empty' },
  make('b', { textContent: title }), ...what.map(text => make('p', { textContent: text })));

/** A picture by way of the CDN, or words where there is none. */
export function thumbnail(key, alt = '') {
  return pictureFrom(`/${encodeKey(key)}?preset=cover`, alt);
}

/** A picture from an address; words take its place if it cannot be shown. */
export function pictureFrom(src, alt) {
  const frame = make('div', { className: 'negative' });
  const none = () => frame.replaceChildren(make('span', { textContent: 'no picture' }));
  if (src) {
    const picture = make('img', { alt, loading: 'lazy' });
    picture.onerror = none;
    picture.src = src;
    frame.append(picture);
  } else {
    none();
  }
  return frame;
}

const flat = value => typeof value !== 'object' || value === null;

function words(value) {
  if (flat(value)) return String(value);
  return Array.isArray(value) && value.every(flat) ? value.join(', ') : JSON.stringify(value);
}

/** JSON to be read: lists of numbers, such as boxes, on one line. */
export const readable = value => JSON.stringify(value, null, 2).replace(/\[[-\d.,e\s]+\]/g, list => list.replace(/\s+/g, ' '));

/** Names and values as a list; what is empty is left out. */
export function facts(pairs) {
  const list = make('dl', { className: 'known' });
  for (const [name, value] of pairs) {
    if (value === undefined || value === null || value === '') continue;
    list.append(make('div', {}, make('dt', { textContent: name }), make('dd', {}, value instanceof Node ? value : words(value))));
  }
  return list;
}

const put = new WeakMap();

/** Put `made()` into `target` if `told` differs from what was put there before: what has focus keeps it. */
export function renew(target, told, made) {
  const text = JSON.stringify(told);
  if (put.get(target) === text) return;
  put.set(target, text);
  const focused = target.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
  target.replaceChildren(...[made()].flat());
  if (focused) target.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
}

/** A form of labelled fields that changes the hash of `view`; fields are `{ name, label, value, choices?, hint? }`. */
export function searchForm(fields, changed) {
  const inputs = {};
  const labels = fields.map(({ name, label, value = '', choices, hint = '' }) => {
    const input = choices
      ? make('select', {}, ...choices.map(([text, each]) => make('option', { value: each, textContent: text })))
      : make('input', { type: 'search', placeholder: hint, spellcheck: false });
    input.name = name;
    input.value = value;
    inputs[name] = input;
    return make('label', { className: choices ? '' : 'wide' }, make('span', { textContent: label }), input);
  });
  const form = make('form', { className: 'search', autocomplete: 'off' }, ...labels);
  const tell = () => changed(Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()])));
  form.addEventListener('submit', event => { event.preventDefault(); tell(); });
  form.addEventListener('change', tell);
  return form;
}
