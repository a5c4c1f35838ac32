// Log lines, by error code.

import { make } from './page.js';
import { request, chip, empty, facts, link, viewHash, updateIfChanged, searchForm, traceLink, when } from './watch-page.js';

const LEVELS = { ERROR: 'error', CRITICAL: 'error', WARNING: 'miss', INFO: 'soft', DEBUG: 'soft' };

const LEAST = [['all', ''], ['warnings and errors', 'WARNING'], ['errors', 'ERROR']];

const isFiltered = query => Boolean(query.code || query.level || query.key);

function buildLine(each) {
  const rest = Object.entries(each.fields || {});
  const trace = each.trace_id ? [traceLink(each.trace_id)] : [];
  const head = [when(each.at_s), chip(LEVELS[each.level] ?? '', each.level), make('span', { className: 'function', textContent: each.function }),
    make('span', { className: 'message', textContent: each.message }), ...(each.code ? [make('code', { textContent: each.code })] : [])];
  if (!rest.length) return make('li', {}, make('div', { className: 'log' }, ...head, ...trace));
  const summary = make('summary', { className: 'log' }, ...head);
  summary.dataset.id = `${each.at_s} ${each.function} ${each.message}`;
  return make('li', {}, make('details', {}, summary, ...trace, facts(rest)));
}

/** Return log lines, newest first. */
export function logList(lines) {
  if (!lines.length) return empty('No log lines', 'Functions log each request and each message, and errors with their code.');
  return make('ol', { className: 'rows logs' }, ...lines.map(buildLine));
}

const NO_CODE = 'without a code';

/** Return the number of lines per code; each links to its lines. */
export function codes(lines, chosen) {
  const counts = new Map();
  for (const { code } of lines) counts.set(code || '', (counts.get(code || '') || 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return make('ul', { className: 'codes' }, ...sorted.map(([code, count]) => {
    const made = link('', viewHash('logs', '', { code }));
    made.append(make('span', { textContent: code || NO_CODE }), make('b', { textContent: count }));
    if (code === chosen) made.setAttribute('aria-current', 'true');
    made.dataset.id = `code ${code}`;
    return make('li', {}, made);
  }));
}

/** Return the view of logs by code. */
export async function logsView(root, { minutes, query, go }) {
  const counts = make('div', {});
  const body = make('div', {});
  root.append(searchForm([
    { name: 'key', label: 'Image', value: query.key, hint: 'part of its key' },
    { name: 'code', label: 'Code', value: query.code, hint: 'such as damaged or too-large' },
    { name: 'level', label: 'Level', value: query.level || '', choices: LEAST },
  ], filters => go('logs', '', filters)), counts, body);
  return async () => {
    const lines = await request('logs', { minutes, code: query.code, level: query.level, key: query.key });
    updateIfChanged(counts, lines.map(each => each.code), () => codes(lines, query.code));
    updateIfChanged(body, lines, () => (isFiltered(query) && !lines.length ? empty('No lines with these filters in this time range') : logList(lines)));
  };
}
