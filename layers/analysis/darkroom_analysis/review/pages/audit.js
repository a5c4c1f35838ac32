// The audit log.

import { request } from './api.js';
import { make } from './page.js';
import { chip, empty, facts, updateIfChanged, when } from './view.js';

const KINDS = { erasure: 'error', override: 'miss' };

function entry(each) {
  const { at_s, at, kind, subject, by, ...rest } = each;
  const time = at_s ? when(at_s) : at ? when(Date.parse(at) / 1000) : '';
  return make('li', {}, make('div', { className: 'log' }, time, chip(KINDS[kind] || 'hit', kind),
    make('span', { className: 'message', textContent: subject }), make('span', { className: 'function', textContent: `by ${by}` })),
  facts(Object.entries(rest.facts ? { ...rest.facts } : rest)));
}

/** Return the view of the audit log. */
export async function auditView(root) {
  const body = make('div', {});
  root.append(body);
  return async () => {
    const data = await request('audit');
    updateIfChanged(body, data, () => (data.length
      ? make('ol', { className: 'rows logs' }, ...data.map(entry))
      : empty('No entries', 'Decisions of the monitor, overrides, releases and erasures. Entries cannot be changed.')));
  };
}
