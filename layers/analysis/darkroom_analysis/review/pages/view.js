// Parts of views: links between them, chips, times, facts and empty states.

import { allowedImage } from './derivative.js';
import { make } from './page.js';
import { ago, moment } from './times.js';

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
export const chip = (kind, text) => make('span', { className: `chip ${kind}`, textContent: text });
export const note = text => make('p', { className: 'note', textContent: text });

function time(at_s, textContent, title) {
  const made = make('time', { textContent, title });
  if (Number.isFinite(at_s)) made.dateTime = new Date(at_s * 1000).toISOString();
  return made;
}

/** Format a time, with its age as the title. */
export const when = at_s => time(at_s, moment(at_s), ago(at_s));

/** Format the age of a time, with the time as the title. */
export const age = at_s => time(at_s, ago(at_s), moment(at_s));

/** Return the text for an empty view: a title, and what would fill it. */
export const empty = (title, ...what) => make('div', { className: 'empty' },
  make('b', { textContent: title }), ...what.map(text => make('p', { textContent: text })));

/** Return an image from a URL, signed by `sign` where it has to be; a text replaces it if it cannot be displayed. */
export function loadImage(src, alt, sign = async () => ({})) {
  const frame = make('div', { className: 'thumb' });
  const none = () => frame.replaceChildren(make('span', { textContent: 'no image' }));
  if (src) {
    frame.append(allowedImage(src, sign, { alt }, none));
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
