// Recent failures: rejected uploads, DLQ messages, failed renders, and errors of CloudFront and Lambda themselves.

import { make } from './page.js';
import { request, chip, empty, loadImage, updateIfChanged, searchForm, traceLink, when } from './watch-page.js';

const KINDS = { refused: ['miss', 'rejected upload'], 'dead-letter': ['error', 'DLQ message'], render: ['error', 'render'], edge: ['error', 'no response of ours'] };
const LIMIT = 50;

function card(each) {
  const [colour, text] = KINDS[each.kind] || ['', each.kind];
  const where = each.key ? make('b', { className: 'key', textContent: each.key }) : make('b', { textContent: 'no key' });
  return make('li', { className: 'file' }, loadImage(each.picture, `Rejected upload: ${each.key}`),
    make('div', { className: 'card-body' },
      make('div', { className: 'head' }, where, chip(colour, text)),
      make('div', { className: 'reason' }, make('code', { textContent: each.code || 'no code' }), ` ${each.reason || ''}`),
      make('div', { className: 'detail' }, when(each.at_s), ...(each.trace_id ? [' · ', traceLink(each.trace_id)] : []))));
}

/** Return failures as cards. */
export function failedList(samples) {
  if (!samples.length) {
    return empty('No failures', 'Rejected uploads, DLQ messages, failed renders, throttled and unanswered requests are listed here with their reason and, if available, the image.');
  }
  return make('ul', { className: 'files' }, ...samples.map(card));
}

/** Return the view of failures, with filters. */
export async function failedView(root, { query, go }) {
  const body = make('div', {});
  root.append(searchForm([
    { name: 'kind', label: 'Kind', value: query.kind, choices: [['all', ''], ...Object.entries(KINDS).map(([kind, [, text]]) => [text, kind])] },
    { name: 'q', label: 'Code, key or reason', value: query.q },
  ], filters => go('failed', '', filters)), body);
  const search = (query.q || '').toLowerCase();
  const fits = each => (!query.kind || each.kind === query.kind)
    && [each.code, each.key, each.reason].some(text => (text || '').toLowerCase().includes(search));
  return async () => {
    const failures = await request('failed', { limit: LIMIT });
    const shown = failures.filter(fits);
    updateIfChanged(body, shown, () => (failures.length && !shown.length ? empty('No failure matches', 'Clear the filters to see all.') : failedList(shown)));
  };
}
