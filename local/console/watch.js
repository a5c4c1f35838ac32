// The monitoring page: one view at a time, selected by the hash, and updated every few seconds while it is visible.

import { element, make } from './page.js';
import { request as reviewRequest } from './api.js';
import { auditView } from './audit.js';
import { reviewView } from './review.js';
import { alarmsView, listWrong, runbookLinks } from './watch-alarms.js';
import { dashboardView } from './watch-dashboard.js';
import { failedView } from './watch-failed.js';
import { withIncident } from './watch-incident.js';
import { indexView } from './watch-index.js';
import { logsView } from './watch-logs.js';
import { request, empty, link, parseHash, viewHash, updateIfChanged } from './watch-page.js';
import { runbookView } from './watch-runbook.js';
import { tracesView } from './watch-traces.js';
import { moment } from './watch-format.js';

const EVERY_MS = 5000;
const FIRST = 'on-call';
const MINUTES = 'darkroom-minutes';

// Each view: its title, the function that opens it, and whether it depends on the time range.
const VIEWS = {
  'on-call': { title: 'On call', open: withIncident(dashboardView('on-call')), timed: true },
  executive: { title: 'Executive', open: dashboardView('executive'), timed: true },
  debug: { title: 'Debug', open: dashboardView('debug'), timed: true },
  alarms: { title: 'Alarms', open: alarmsView, timed: true },
  traces: { title: 'Traces', open: tracesView, timed: true },
  failed: { title: 'Failed', open: failedView },
  logs: { title: 'Logs', open: logsView, timed: true },
  index: { title: 'Index', open: indexView },
  review: { title: 'Review', open: reviewView, signed: true },
  audit: { title: 'Audit log', open: auditView },
  runbooks: { title: 'Runbook', open: runbookView, hidden: true },
};

const shown = { number: 0, refresh: null, timer: 0, live: true };
const minutes = () => Number(element('minutes').value);

function go(view, part, query) {
  const hash = viewHash(view, part, query);
  if (location.hash !== hash) location.hash = hash;
}

function showActive(alarms) {
  const wrong = listWrong(alarms);
  const pages = wrong.filter(each => each.pages);
  element('count-alarms').textContent = alarms.filter(each => each.state === 'ALARM').length;
  element('count-pages').textContent = pages.length;
  const first = pages.length ? pages : wrong;
  updateIfChanged(element('active-alarms'), first, () => (first.length ? make('ul', {}, ...first.map(each => make('li', {},
    make('b', { textContent: pages.length ? '✕ Page: ' : '▲ Ticket: ' }), link(each.title || each.name, viewHash(FIRST)), ' ', ...runbookLinks(each.runbooks)))) : []));
}

// Update the view and the alarms. Old data stay, with their time, when the stack does not respond.
async function round(number) {
  clearTimeout(shown.timer);
  try {
    await Promise.all([shown.refresh?.(), request('alarms').then(showActive)]);
    if (number !== shown.number) return;
    element('trouble').textContent = '';
    element('as-of').textContent = `as of ${moment(Date.now() / 1000)}`;
  } catch (error) {
    if (number !== shown.number) return;
    element('trouble').textContent = error.message;
  }
  if (shown.live) shown.timer = setTimeout(() => (document.hidden ? null : round(number)), EVERY_MS);
}

function mark(name) {
  element('tabs').replaceChildren(...Object.entries(VIEWS).filter(([, view]) => !view.hidden).map(([each, { title }]) => {
    const tab = link(title, viewHash(each));
    if (each === name) tab.setAttribute('aria-current', 'page');
    return tab;
  }));
  element('tabs').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  document.title = `${VIEWS[name]?.title || 'Watch'} · Darkroom`;
}

async function open() {
  const { view, part, query } = parseHash(location.hash || viewHash(FIRST));
  const found = VIEWS[view];
  shown.number += 1;
  const { number } = shown;
  clearTimeout(shown.timer);
  shown.refresh = null;
  mark(view);
  element('trouble').textContent = '';
  element('minutes').disabled = !found?.timed;
  element('active-alarms').hidden = view === FIRST; // the view has more about each
  const root = make('section', {}, make('h2', { className: 'spoken', textContent: found?.title || 'Not found' }));
  element('view').replaceChildren(root);
  if (!found) {
    root.append(empty(`Unknown view “${view}”`, 'Select one above.'));
    return;
  }
  try {
    const session = found.signed ? await reviewRequest('session') : null;
    const refresh = await found.open(root, { minutes: minutes(), part, query, go, session });
    if (number !== shown.number) return;
    shown.refresh = refresh;
  } catch (error) {
    // Nothing to update yet: the whole view is opened again.
    if (number !== shown.number) return;
    element('trouble').textContent = error.message;
    shown.timer = setTimeout(open, EVERY_MS);
    return;
  }
  await round(number);
}

function live(on) {
  shown.live = on;
  element('live').setAttribute('aria-pressed', String(on));
  element('live').textContent = on ? 'Live' : 'Paused';
  if (on) round(shown.number);
  else clearTimeout(shown.timer);
}

const stored = sessionStorage.getItem(MINUTES);
element('minutes').value = stored && [...element('minutes').options].some(each => each.value === stored) ? stored : '60';
element('minutes').onchange = () => {
  sessionStorage.setItem(MINUTES, element('minutes').value);
  open();
};
element('live').onclick = () => live(!shown.live);
window.addEventListener('hashchange', () => { if (location.hash !== '#view') open(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden && shown.live) round(shown.number); });
open();
