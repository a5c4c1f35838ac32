// The audit log: a sentence for each entry, with the entry itself below it.

import { describeEntry } from './audit-sentences.js';
import { request } from './api.js';
import { make } from './page.js';
import { ago } from './times.js';
import { age, chip, empty, formatJson, parseHash, updateIfChanged, viewHash } from './view.js';

const KINDS = {
  decision: { text: 'decisions of the monitor', colour: 'hit' },
  override: { text: 'decisions of people', colour: 'miss' },
  release: { text: 'releases', colour: 'hit' },
  erasure: { text: 'erasures', colour: 'error' },
  access: { text: 'access to proof', colour: 'soft' },
};

const opened = new Set();

function entry(each) {
  const id = `${each.at} ${each.kind} ${each.subject}`;
  const sentence = describeEntry(each);
  const head = [age(Date.parse(each.at) / 1000), chip(KINDS[each.kind]?.colour ?? 'soft', each.kind)];
  const raw = make('pre', { textContent: formatJson(each) });
  if (!sentence) return make('li', {}, make('div', { className: 'log' }, ...head), raw);
  const summary = make('summary', { className: 'log' }, ...head, make('span', { className: 'message', textContent: sentence }));
  summary.dataset.id = id;
  const details = make('details', { open: opened.has(id) }, summary, raw);
  details.ontoggle = () => (details.open ? opened.add(id) : opened.delete(id));
  return make('li', {}, details);
}

function kindForm(changed) {
  const choices = [['all', ''], ...Object.entries(KINDS).map(([kind, { text }]) => [text, kind])];
  const input = make('select', { name: 'kind' }, ...choices.map(([textContent, value]) => make('option', { textContent, value })));
  input.value = parseHash(location.hash).query.kind || '';
  input.onchange = () => {
    history.replaceState(null, '', viewHash('audit', '', { kind: input.value }));
    changed();
  };
  return { input, form: make('form', { className: 'search' }, make('label', {}, make('span', { textContent: 'Kind' }), input)) };
}

/** Return the view of the audit log. */
export async function auditView(root) {
  const body = make('div', {});
  let entries = [];
  const show = () => {
    const shown = entries.filter(each => !input.value || each.kind === input.value);
    updateIfChanged(body, [entries.length, shown], () => {
      if (shown.length) return make('ol', { className: 'rows logs audit' }, ...shown.map(entry));
      return entries.length ? empty('No entry of this kind', `None of the newest ${entries.length} entries is one. Select “all” to see them.`)
        : empty('No entries', 'Decisions of the monitor, overrides, releases and erasures. Entries cannot be changed.');
    });
    for (const time of body.querySelectorAll('time[datetime]')) time.textContent = ago(Date.parse(time.dateTime) / 1000);
  };
  const { input, form } = kindForm(show);
  root.append(form, body);
  return async () => {
    entries = await request('audit');
    show();
  };
}
