// Traces: a search, the list of what it finds, and one of them as a waterfall.

import { make } from './page.js';
import { ask, chip, empty, link, place, renew, searchForm, when } from './watch-page.js';
import { waterfall } from './watch-waterfall.js';
import { said } from './watch-words.js';

export const STATUS = { ok: ['hit', 'ok'], error: ['miss', '▲ error'], fault: ['error', '✕ fault'] };

// What tells traces apart in a list, the most telling first; the rest is in the trace.
const NOTED = ['code', 'format', 'status', 'outcome', 'variant', 'cold', 'edge_request_id', 'correlation_id'];

export const statusChip = status => chip(...(STATUS[status] || ['', status]));

function notes(annotations) {
  const seen = new Set();
  const some = NOTED.map(name => [name, annotations[name]]).filter(([, value]) => {
    const fresh = value !== undefined && value !== '' && !(typeof value === 'string' && seen.has(value));
    seen.add(value);
    return fresh;
  });
  return make('span', { className: 'notes' }, ...some.map(([name, value]) =>
    make('span', {}, make('i', { textContent: name }), ` ${value}`)));
}

/** Traces as a list; each leads to its waterfall. */
export function traceList(traces) {
  if (!traces.length) {
    return empty('No trace', 'Each request that reaches a function leaves one: ask for a picture that the CDN does not hold yet, or upload one.');
  }
  const most = Math.max(...traces.map(each => each.duration_ms)) || 1;
  return make('ol', { className: 'rows traces' }, ...traces.map(each => {
    const bar = make('i', { className: each.status });
    bar.style.width = `${Math.max(1, (each.duration_ms / most) * 100)}%`;
    const target = link(each.names.join(' → ') || each.trace_id, place('traces', each.trace_id), { className: 'name' });
    target.dataset.id = each.trace_id;
    return make('li', {}, when(each.started_s), make('div', { className: 'what' }, target, notes(each.annotations)),
      statusChip(each.status), make('div', { className: 'bar-track' }, bar), make('b', { textContent: said(each.duration_ms, 'Milliseconds') }));
  }));
}

async function one(root, id) {
  const body = make('div', {});
  root.append(make('p', { className: 'back' }, link('← all traces', place('traces'))), body);
  return async () => {
    const told = await ask(`traces/${encodeURIComponent(id)}`);
    renew(body, told, () => waterfall(told));
  };
}

async function all(root, { minutes, query, go }) {
  const body = make('div', {});
  const form = searchForm([{
    name: 'q', label: 'Request id, correlation id, trace id, code or format', value: query.q,
    hint: 'X-Amz-Cf-Id of an answer, or the id of an upload',
  }], wanted => go('traces', '', wanted));
  root.append(form, body);
  return async () => {
    const told = await ask('traces', { minutes, q: query.q });
    renew(body, told, () => (query.q && !told.length
      ? empty(`No trace with “${query.q}” in this time`,
        'An answer that the CDN or S3 held made no function work, and left no trace. Perhaps a longer time has it.')
      : traceList(told)));
  };
}

/** The view of all traces, or of one. */
export const tracesView = (root, told) => (told.part ? one(root, told.part) : all(root, told));
