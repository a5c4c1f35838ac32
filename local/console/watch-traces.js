// Traces: a search, the list of results, and a trace as a waterfall.

import { make } from './page.js';
import { request, chip, empty, link, viewHash, updateIfChanged, searchForm, when } from './watch-page.js';
import { waterfall } from './watch-waterfall.js';
import { formatValue } from './watch-format.js';

export const STATUS = { ok: ['hit', 'ok'], error: ['miss', '▲ error'], fault: ['error', '✕ fault'] };

// Annotations of a list entry, most specific first; the trace shows all of them.
const LISTED_ANNOTATIONS = ['code', 'format', 'status', 'outcome', 'variant', 'cold', 'edge_request_id', 'correlation_id'];

export const statusChip = status => chip(...(STATUS[status] || ['', status]));

function notes(annotations) {
  const seen = new Set();
  const some = LISTED_ANNOTATIONS.map(name => [name, annotations[name]]).filter(([, value]) => {
    const fresh = value !== undefined && value !== '' && !(typeof value === 'string' && seen.has(value));
    seen.add(value);
    return fresh;
  });
  return make('span', { className: 'notes' }, ...some.map(([name, value]) =>
    make('span', {}, make('i', { textContent: name }), ` ${value}`)));
}

/** Return traces as a list; each links to its waterfall. */
export function traceList(traces) {
  if (!traces.length) {
    return empty('No traces', 'Each request that reaches a function has a trace: request an image that is not in the CDN, or upload one.');
  }
  const most = Math.max(...traces.map(each => each.duration_ms)) || 1;
  return make('ol', { className: 'rows traces' }, ...traces.map(each => {
    const bar = make('i', { className: each.status });
    bar.style.width = `${Math.max(1, (each.duration_ms / most) * 100)}%`;
    const target = link(each.names.join(' → ') || each.trace_id, viewHash('traces', each.trace_id), { className: 'name' });
    target.dataset.id = each.trace_id;
    return make('li', {}, when(each.started_s), make('div', { className: 'what' }, target, notes(each.annotations)),
      statusChip(each.status), make('div', { className: 'bar-track' }, bar), make('b', { textContent: formatValue(each.duration_ms, 'Milliseconds') }));
  }));
}

async function one(root, id) {
  const body = make('div', {});
  root.append(make('p', { className: 'back' }, link('← all traces', viewHash('traces'))), body);
  return async () => {
    const data = await request(`traces/${encodeURIComponent(id)}`);
    updateIfChanged(body, data, () => waterfall(data));
  };
}

async function all(root, { minutes, query, go }) {
  const body = make('div', {});
  const form = searchForm([{
    name: 'q', label: 'Request id, correlation id, trace id, code or format', value: query.q,
    hint: 'X-Amz-Cf-Id of a response, or the id of an upload',
  }], filters => go('traces', '', filters));
  root.append(form, body);
  return async () => {
    const data = await request('traces', { minutes, q: query.q });
    updateIfChanged(body, data, () => (query.q && !data.length
      ? empty(`No traces with “${query.q}” in this time range`,
        'Responses from the CDN or S3 have no trace. Or choose a longer time range.')
      : traceList(data)));
  };
}

/** Return the view of all traces, or of one. */
export const tracesView = (root, data) => (data.part ? one(root, data.part) : all(root, data));
