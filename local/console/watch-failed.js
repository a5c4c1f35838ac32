// What failed lately: refused uploads, dead letters, renders that ended in an error.

import { make } from './page.js';
import { ask, chip, empty, pictureFrom, renew, searchForm, traceLink, when } from './watch-page.js';

const KINDS = { refused: ['miss', 'refused upload'], 'dead-letter': ['error', 'dead letter'], render: ['error', 'render'] };
const LIMIT = 50;

function card(each) {
  const [colour, words] = KINDS[each.kind] || ['', each.kind];
  const where = each.key ? make('b', { className: 'key', textContent: each.key }) : make('b', { textContent: 'no key' });
  return make('li', { className: 'file' }, pictureFrom(each.picture, `What was refused: ${each.key}`),
    make('div', { className: 'told' },
      make('div', { className: 'head' }, where, chip(colour, words)),
      make('div', { className: 'reason' }, make('code', { textContent: each.code || 'no code' }), ` ${each.reason || ''}`),
      make('div', { className: 'detail' }, when(each.at_s), ...(each.trace_id ? [' · ', traceLink(each.trace_id)] : []))));
}

/** Failed samples as cards. */
export function failedList(samples) {
  if (!samples.length) {
    return empty('Nothing has failed', 'Refused uploads, dead letters and failed renders come here, with their reason and, where there is one, their picture.');
  }
  return make('ul', { className: 'files' }, ...samples.map(card));
}

/** The view of failed samples, with filters. */
export async function failedView(root, { query, go }) {
  const body = make('div', {});
  root.append(searchForm([
    { name: 'kind', label: 'Kind', value: query.kind, choices: [['all', ''], ...Object.entries(KINDS).map(([kind, [, text]]) => [text, kind])] },
    { name: 'q', label: 'Code, key or reason', value: query.q },
  ], wanted => go('failed', '', wanted)), body);
  const wanted = (query.q || '').toLowerCase();
  const fits = each => (!query.kind || each.kind === query.kind)
    && [each.code, each.key, each.reason].some(text => (text || '').toLowerCase().includes(wanted));
  return async () => {
    const told = await ask('failed', { limit: LIMIT });
    const shown = told.filter(fits);
    renew(body, shown, () => (told.length && !shown.length ? empty('None of the failed samples fits', 'Empty the filters to see all.') : failedList(shown)));
  };
}
