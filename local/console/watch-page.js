// Functions shared by the views of the monitoring page: requests, links between views, and forms.

import { fetchJson } from './api.js';
import { CONTROL, sign } from './control.js';
import { encodeKey, make } from './page.js';
import { link, loadImage, viewHash } from './view.js';

export { chip, empty, facts, formatJson, link, loadImage, note, parseHash, updateIfChanged, viewHash, when } from './view.js';

const API = `${CONTROL}/watch`;

/** Return the URL of an API path with `query`, without empty values. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return `${API}/${path}${text ? `?${text}` : ''}`;
}

/** Return the JSON response of the API. Throws an Error with a message for display. */
export const request = (path, query = {}, options = {}) => fetchJson(
  address(path, query), options, 'The stack does not respond. Start it with `make run`.',
  (status, body) => body?.detail || body?.message || `The stack answered ${status} to ${path}.`);

export const traceLink = id => link('trace', viewHash('traces', id), { className: 'to-trace', title: id });
export const keyLink = key => link(key, viewHash('index', '', { key }), { className: 'key' });

/** Return the thumbnail of an image from the CDN, or a text if there is none. */
export function thumbnail(key, alt = '') {
  return loadImage(`/${encodeKey(key)}?preset=cover`, alt, sign);
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
