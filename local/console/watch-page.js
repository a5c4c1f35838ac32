// Functions shared by the views of the monitoring page: requests, links between views, and empty states.

import { CONTROL, encodeKey, make } from './page.js';
import { ago, moment } from './watch-format.js';

const API = `${CONTROL}/watch`;

/** Return the URL of an API path with `query`, without empty values. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return `${API}/${path}${text ? `?${text}` : ''}`;
}

/** Return the JSON response of the API. Throws an Error with a message for display. */
export async function request(path, query = {}, options = {}) {
  let answer;
  try {
    answer = await fetch(address(path, query), options);
  } catch {
    throw new Error('The stack does not respond. Start it with `make run`.');
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) {
    throw new Error(body?.detail || body?.message || `The stack answered ${answer.status} to ${path}.`);
  }
  return body;
}

/** Return the hash of a view: its name, an optional part, and parameters. */
export function viewHash(view, part = '', query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return `#/${view}${part ? `/${encodeURIComponent(part)}` : ''}${text ? `?${text}` : ''}`;
}

/** Parse a hash into view, part and parameters. */
export function parseHash(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view = '', ...rest] = path.split('/');
  let part = rest.join('/');
  try {
    part = decodeURIComponent(part);
  } catch { /* keep it encoded */ }
  return { view, part, query: Object.fromEntries(new URLSearchParams(query)) };
}

export const link = (text, href, attributes = {}) => make('a', { href, textContent: text, ...attributes });
export const traceLink = id => link('trace', viewHash('traces', id), { className: 'to-trace', title: id });
export const keyLink = key => link(key, viewHash('index', '', { key }), { className: 'key' });
export const chip = (kind, text) => make('span', { className: `chip ${kind}`, textContent: text });
export const note = text => make('p', { className: 'note', textContent: text });

/** Format a time, with its age as the title. */
export function when(at_s) {
  const made = make('time', { textContent: moment(at_s), title: ago(at_s) });
  if (Number.isFinite(at_s)) made.dateTime = new Date(at_s * 1000).toISOString();
  return made;
}

/** Return the text for an empty view: a title, and what would fill it. */
export const empty = (title, ...what) => make('div', { className: 'empty' },
  make('b', { textContent: title }), ...what.map(text => make('p', { textContent: text })));

/** Return the thumbnail of an image from the CDN, or a text if there is none. */
export function thumbnail(key, alt = '') {
  return loadImage(`/${encodeKey(key)}?preset=cover`, alt);
}

/** Return an image from a URL; a text replaces it if it cannot be displayed. */
export function loadImage(src, alt) {
  const frame = make('div', { className: 'thumb' });
  const none = () => frame.replaceChildren(make('span', { textContent: 'no image' }));
  if (src) {
    const image = make('img', { alt, loading: 'lazy' });
    image.onerror = none;
    image.src = src;
    frame.append(image);
  } else {
    none();
  }
  return frame;
}

const flat = value => typeof value !== 'object' || value === null;

function formatField(value) {
  if (flat(value)) return String(value);
  return Array.isArray(value) && value.every(flat) ? value.join(', ') : JSON.stringify(value);
}

/** Format JSON for reading: lists of numbers, such as boxes, on one line. */
export const formatJson = value => JSON.stringify(value, null, 2).replace(/\[[-\d.,e\s]+\]/g, list => list.replace(/\s+/g, ' '));

/** Return names and values as a list, without empty values. */
export function facts(pairs) {
  const list = make('dl', { className: 'known' });
  for (const [name, value] of pairs) {
    if (value === undefined || value === null || value === '') continue;
    list.append(make('div', {}, make('dt', { textContent: name }), make('dd', {}, value instanceof Node ? value : formatField(value))));
  }
  return list;
}

const rendered = new WeakMap();

/** Put `render()` into `target` if `data` has changed since the last call. The focused element keeps its focus. */
export function updateIfChanged(target, data, render) {
  const text = JSON.stringify(data);
  if (rendered.get(target) === text) return;
  rendered.set(target, text);
  const focused = target.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
  target.replaceChildren(...[render()].flat());
  if (focused) target.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
}

/** Create a form of labelled fields that calls `changed`; fields are `{ name, label, value, choices?, hint? }`. */
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
  const report = () => changed(Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()])));
  form.addEventListener('submit', event => { event.preventDefault(); report(); });
  form.addEventListener('change', report);
  return form;
}
