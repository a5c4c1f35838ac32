// The index: what is known of every picture.

import { encodeKey, make } from './page.js';
import { ask, chip, empty, facts, keyLink, link, place, readable, renew, searchForm, thumbnail, when } from './watch-page.js';
import { said } from './watch-words.js';

const LIMIT = 50;
const STATES = { ready: 'hit', held: 'miss', refused: 'error', failed: 'error' };
const SHOWN_FACTS = [['state', 'state'], ['format', 'format'], ['sha256', 'SHA-256'], ['version', 'version'], ['generation', 'generation'], ['captured_at', 'captured']];

const sizeOf = each => (each.width ? `${each.width} × ${each.height}` : '');
const stateChip = state => chip(STATES[state] || '', state || 'unknown');

function rowOf(each) {
  const key = keyLink(each.key);
  key.dataset.id = each.key;
  key.title = each.key;
  return make('li', { className: 'file' }, each.state === 'ready' ? thumbnail(each.key) : thumbnailless(),
    make('div', { className: 'told' },
      make('div', { className: 'head' }, key, stateChip(each.state)),
      make('div', { className: 'detail', textContent: [each.format, sizeOf(each), each.size_bytes ? said(each.size_bytes, 'Bytes') : ''].filter(Boolean).join(' · ') }),
      ...(each.at_s ? [make('div', { className: 'detail' }, when(each.at_s))] : [])));
}

const thumbnailless = () => make('div', { className: 'negative' }, make('span', { textContent: 'not served' }));

// Findings of one task, whatever they hold: the words first, all of it below.
function task(name, found) {
  const { model, version, by, ...rest } = found;
  return make('article', { className: 'task' },
    make('div', { className: 'head' }, make('h4', { textContent: name }), ...(by ? [chip(by === 'endpoint' ? 'hit' : 'miss', by)] : [])),
    make('div', { className: 'by', textContent: [model, version].filter(Boolean).join(' ') }),
    make('pre', { textContent: readable(rest) }));
}

function record(key, told) {
  const tasks = Object.entries(told.findings?.tasks || {});
  const shown = SHOWN_FACTS.map(([name, label]) => [label, told[name]]);
  return [
    make('div', { className: 'record' },
      told.state === 'ready' ? link('', `/${encodeKey(key)}`, { className: 'print-of', title: 'The picture by way of the CDN' }) : thumbnailless(),
      make('div', {}, make('h3', { className: 'key', textContent: key }),
        facts([...shown, ['size', sizeOf(told)], ['bytes', told.size_bytes ? said(told.size_bytes, 'Bytes') : '']]),
        make('p', { className: 'links' }, link('its prints', `/#${encodeURIComponent(key)}`), ' ', link('its traces', place('traces', '', { q: key }))))),
    ...(tasks.length ? [make('h3', { textContent: 'What models found' }), make('div', { className: 'tasks' }, ...tasks.map(each => task(...each)))] : []),
    make('details', { className: 'raw' }, make('summary', { textContent: 'Everything known' }), make('pre', { textContent: readable(told) })),
  ];
}

async function one(root, key) {
  const body = make('div', {});
  root.append(make('p', { className: 'back' }, link('← all pictures', place('index'))), body);
  return async () => {
    const told = await ask('index/record', { key });
    renew(body, told, () => record(key, told));
    const frame = body.querySelector('.print-of');
    if (frame && !frame.firstChild) frame.append(make('img', { alt: key, src: `/${encodeKey(key)}?w=640` }));
  };
}

async function all(root, { query, go }) {
  const body = make('div', {});
  const more = make('p', { className: 'more' });
  root.append(searchForm([
    { name: 'prefix', label: 'Keys that begin with', value: query.prefix, hint: 'trips/' },
    { name: 'state', label: 'State', value: query.state, choices: [['all', ''], ...Object.keys(STATES).map(state => [state, state])] },
  ], wanted => go('index', '', wanted)), body, more);
  return async () => {
    const told = await ask('index', { prefix: query.prefix, state: query.state, after: query.after, limit: LIMIT });
    renew(body, told.rows, () => (told.rows.length
      ? make('ul', { className: 'files index' }, ...told.rows.map(rowOf))
      : query.prefix || query.state || query.after
        ? empty('No picture fits', 'Keys are matched from their beginning, as they are: no leading slash.')
        : empty('The index is empty', 'Upload a picture: what is taken in stands here.')));
    const links = [...(query.after ? [link('← first page', place('index', '', { ...query, after: '' }))] : []),
      ...(told.next ? [link('next page →', place('index', '', { ...query, after: told.next }))] : [])];
    renew(more, [query.after, told.next], () => links);
  };
}

/** The view of the index, or of one record. */
export const indexView = (root, told) => (told.query.key ? one(root, told.query.key) : all(root, told));
