// What is wrong now: each alarm that notifies, with what users notice and the first commands of its runbook.

import { CONTROL } from './control.js';
import { make } from './page.js';
import { listWrong, runbookLinks, runbookNames } from './watch-alarms.js';
import { ago } from './watch-format.js';
import { chip, request, updateIfChanged, when } from './watch-page.js';
import { renderFirstCommands } from './watch-runbook.js';

const texts = new Map();

// Without the runbook, the alarm is shown without its commands until the next update.
async function readRunbook(name) {
  if (!texts.has(name)) {
    const answer = await fetch(`${CONTROL}/runbooks/${encodeURIComponent(name)}`).catch(() => null);
    if (!answer?.ok) return '';
    texts.set(name, await answer.text());
  }
  return texts.get(name);
}

function card({ alarm, runbook, text }) {
  const since = make('span', { className: 'age' });
  since.dataset.since = alarm.since_s;
  return make('li', { className: alarm.pages ? 'pages' : '' },
    make('div', { className: 'head' }, make('h3', { textContent: alarm.title || alarm.name }),
      chip(alarm.pages ? 'error' : 'miss', alarm.pages ? '✕ page' : '▲ ticket'), make('span', { className: 'since' }, 'since ', when(alarm.since_s), ', ', since)),
    ...(alarm.noticed ? [make('p', {}, make('b', { textContent: 'Users notice: ' }), alarm.noticed)] : []),
    ...(text ? renderFirstCommands(text, runbook) : []),
    make('p', { className: 'to-runbooks' }, ...runbookLinks(alarm.runbooks)));
}

function summarize(alarms, wrong) {
  if (!alarms.length) return 'No alarms are loaded yet';
  if (!wrong.length) return 'Nothing is wrong';
  return wrong.length === 1 ? '1 thing is wrong' : `${wrong.length} things are wrong`;
}

function buildIncident() {
  const status = make('p', { className: 'status' });
  status.setAttribute('role', 'status');
  const list = make('div', {});
  const element = make('div', { className: 'incident' }, status, list);
  return {
    element,
    async update() {
      const alarms = await request('alarms');
      const wrong = listWrong(alarms);
      const shown = await Promise.all(wrong.map(async alarm => {
        const [runbook = ''] = runbookNames(alarm.runbooks);
        return { alarm, runbook, text: runbook && await readRunbook(runbook) };
      }));
      updateIfChanged(status, summarize(alarms, wrong), () => summarize(alarms, wrong));
      const data = shown.map(({ alarm: { name, title, noticed, since_s, pages, runbooks }, text }) => [name, title, noticed, since_s, pages, runbooks, text]);
      updateIfChanged(list, data, () => (shown.length ? make('ol', { className: 'wrong' }, ...shown.map(card)) : []));
      for (const each of list.querySelectorAll('.age')) each.textContent = ago(Number(each.dataset.since));
    },
  };
}

/** Return a view that has what is wrong above the view that `open` opens. */
export const withIncident = open => async (root, options) => {
  const incident = buildIncident();
  root.append(incident.element);
  const refresh = await open(root, options);
  return () => Promise.all([incident.update(), refresh()]);
};
