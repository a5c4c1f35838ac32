// Log lines, by their error codes.

import { make } from './page.js';
import { ask, chip, empty, facts, link, place, renew, searchForm, traceLink, when } from './watch-page.js';

const LEVELS = { ERROR: 'error', CRITICAL: 'error', WARNING: 'miss', INFO: 'soft', DEBUG: 'soft' };

function lineOf(each) {
  const rest = Object.entries(each.fields || {});
  const head = [when(each.at_s), chip(LEVELS[each.level] ?? '', each.level), make('span', { className: 'function', textContent: each.function }),
    make('span', { className: 'message', textContent: each.message }), ...(each.code ? [make('code', { textContent: each.code })] : []),
    ...(each.trace_id ? [traceLink(each.trace_id)] : [])];
  if (!rest.length) return make('li', {}, make('div', { className: 'log' }, ...head));
  const summary = make('summary', { className: 'log' }, ...head);
  summary.dataset.id = `${each.at_s} ${each.function} ${each.message}`;
  return make('li', {}, make('details', {}, summary, facts(rest)));
}

/** Log lines, newest first. */
export function logList(lines) {
  if (!lines.length) return empty('No log line', 'Functions write one for each request and each message: errors with their code.');
  return make('ol', { className: 'rows logs' }, ...lines.map(lineOf));
}

const NO_CODE = 'without a code';

/** How often each code stands there; each is a link that shows only its lines. */
export function codes(lines, chosen) {
  const counts = new Map();
  for (const { code } of lines) counts.set(code || '', (counts.get(code || '') || 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return make('ul', { className: 'codes' }, ...sorted.map(([code, count]) => {
    const made = link('', place('logs', '', { code }));
    made.append(make('span', { textContent: code || NO_CODE }), make('b', { textContent: count }));
    if (code === chosen) made.setAttribute('aria-current', 'true');
    made.dataset.id = `code ${code}`;
    return make('li', {}, made);
  }));
}

/** The view of logs by code. */
export async function logsView(root, { minutes, query, go }) {
  const counts = make('div', {});
  const body = make('div', {});
  root.append(searchForm([{ name: 'code', label: 'Code', value: query.code, hint: 'such as damaged or too-large' }],
    wanted => go('logs', '', wanted)), counts, body);
  return async () => {
    const told = await ask('logs', { minutes, code: query.code });
    renew(counts, told.map(each => each.code), () => codes(told, query.code));
    renew(body, told, () => (query.code && !told.length ? empty(`No line with the code “${query.code}” in this time`) : logList(told)));
  };
}
