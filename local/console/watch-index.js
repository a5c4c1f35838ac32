// Views of the index: the list of images, and the record of an image.

import { sign } from './control.js';
import { allowedImage } from './derivative.js';
import { assign, encodeKey, make } from './page.js';
import { request, chip, empty, facts, keyLink, link, viewHash, formatJson, updateIfChanged, searchForm, thumbnail, when } from './watch-page.js';
import { formatValue } from './watch-format.js';

const LIMIT = 50;
// `source` are images of an existing bucket, which ingest has not written.
const STATES = { ready: 'hit', source: 'hit', held: 'miss', refused: 'error', failed: 'error' };
const SHOWN_FACTS = [['state', 'state'], ['format', 'format'], ['sha256', 'SHA-256'], ['version', 'version'], ['generation', 'generation'], ['captured_at', 'captured']];

const sizeOf = each => (each.width ? `${each.width} × ${each.height}` : '');
const SERVED = ['ready', 'source'];

const stateChip = state => chip(STATES[state] || '', state || 'unknown');

function buildRow(each) {
  const key = keyLink(each.key);
  key.dataset.id = each.key;
  assign(key, { title: each.key });
  return make('li', { className: 'file' }, SERVED.includes(each.state) ? thumbnail(each.key) : noThumbnail(),
    make('div', { className: 'card-body' },
      make('div', { className: 'head' }, key, stateChip(each.state)),
      make('div', { className: 'detail', textContent: [each.format, sizeOf(each), each.size_bytes ? formatValue(each.size_bytes, 'Bytes') : ''].filter(Boolean).join(' · ') }),
      ...(each.at_s ? [make('div', { className: 'detail' }, when(each.at_s))] : [])));
}

const noThumbnail = () => make('div', { className: 'thumb' }, make('span', { textContent: 'not served' }));

// Show the findings of one task: model and version, then all fields.
function task(name, found) {
  const { model, version, by, ...rest } = found;
  return make('article', { className: 'task' },
    make('div', { className: 'head' }, make('h4', { textContent: name }), ...(by ? [chip(by === 'endpoint' ? 'hit' : 'miss', by)] : [])),
    make('div', { className: 'by', textContent: [model, version].filter(Boolean).join(' ') }),
    make('pre', { textContent: formatJson(rest) }));
}

function record(key, data) {
  const tasks = Object.entries(data.findings?.tasks || {});
  const shown = SHOWN_FACTS.map(([name, label]) => [label, data[name]]);
  return [
    make('div', { className: 'record' },
      SERVED.includes(data.state) ? link('', `/${encodeKey(key)}`, { className: 'master', title: 'The image from the CDN' }) : noThumbnail(),
      make('div', {}, make('h3', { className: 'key', textContent: key }),
        facts([...shown, ['size', sizeOf(data)], ['bytes', data.size_bytes ? formatValue(data.size_bytes, 'Bytes') : '']]),
        make('p', { className: 'links' }, link('derivatives', `/#${encodeURIComponent(key)}`), ' ', link('traces', viewHash('traces', '', { q: key }))))),
    ...(tasks.length ? [make('h3', { textContent: 'Findings' }), make('div', { className: 'tasks' }, ...tasks.map(each => task(...each)))] : []),
    make('details', { className: 'raw' }, make('summary', { textContent: 'Full record' }), make('pre', { textContent: formatJson(data) })),
  ];
}

async function one(root, key) {
  const body = make('div', {});
  root.append(make('p', { className: 'back' }, link('← all images', viewHash('index'))), body);
  return async () => {
    const data = await request('index/record', { key });
    updateIfChanged(body, data, () => record(key, data));
    const frame = body.querySelector('.master');
    if (frame && !frame.firstChild) {
      const whole = `/${encodeKey(key)}`;
      const image = allowedImage(`${whole}?w=640`, sign, { alt: key });
      image.onload = async () => {
        if (image.getAttribute('src') === `${whole}?w=640`) return;
        const signed = await sign(whole); // a private image needs a signature
        if (signed.target) frame.href = signed.target;
      };
      frame.append(image);
    }
  };
}

async function all(root, { query, go }) {
  const body = make('div', {});
  const more = make('p', { className: 'more' });
  root.append(searchForm([
    { name: 'prefix', label: 'Key prefix', value: query.prefix, hint: 'trips/' },
    { name: 'state', label: 'State', value: query.state, choices: [['all', ''], ...Object.keys(STATES).map(state => [state, state])] },
  ], filters => go('index', '', filters)), body, more);
  return async () => {
    const data = await request('index', { prefix: query.prefix, state: query.state, after: query.after, limit: LIMIT });
    updateIfChanged(body, data.rows, () => (data.rows.length
      ? make('ul', { className: 'files index' }, ...data.rows.map(buildRow))
      : query.prefix || query.state || query.after
        ? empty('No image matches', 'A prefix is compared with the whole key, without a leading slash.')
        : empty('The index is empty', 'Ingested images are listed here.')));
    const links = [...(query.after ? [link('← first page', viewHash('index', '', { ...query, after: '' }))] : []),
      ...(data.next ? [link('next page →', viewHash('index', '', { ...query, after: data.next }))] : [])];
    updateIfChanged(more, [query.after, data.next], () => links);
  };
}

/** Return the view of the index, or of one record. */
export const indexView = (root, data) => (data.query.key ? one(root, data.query.key) : all(root, data));
