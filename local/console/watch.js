// The watch page: one view at a time, chosen by the hash, renewed every few seconds while somebody looks.

import { element, make } from './page.js';
import { alarmsView, runbookLink } from './watch-alarms.js';
import { dashboardView } from './watch-dashboard.js';
import { failedView } from './watch-failed.js';
import { indexView } from './watch-index.js';
import { logsView } from './watch-logs.js';
import { ask, empty, link, parsePlace, place, renew } from './watch-page.js';
import { auditView, reviewView } from './watch-review.js';
import { runbookView } from './watch-runbook.js';
import { tracesView } from './watch-traces.js';
import { moment } from './watch-words.js';

const EVERY_MS = 5000;
const FIRST = 'executive';
const MINUTES = 'darkroom-minutes';

// Each view: its title, what opens it, and whether it depends on the time shown.
const VIEWS = {
  executive: { title: 'Executive', open: dashboardView('executive'), timed: true },
  'on-call': { title: 'On call', open: dashboardView('on-call'), timed: true },
  debug: { title: 'Debug', open: dashboardView('debug'), timed: true },
  alarms: { title: 'Alarms', open: alarmsView, timed: true },
  traces: { title: 'Traces', open: tracesView, timed: true },
  failed: { title: 'Failed', open: failedView },
  logs: { title: 'Logs', open: logsView, timed: true },
  index: { title: 'Index', open: indexView },
  review: { title: 'Review', open: reviewView },
  audit: { title: 'Audit log', open: auditView },
  runbooks: { title: 'Runbook', open: runbookView, hidden: true },
};

const shown = { number: 0, refresh: null, timer: 0, live: true };
const minutes = () => Number(element('minutes').value);

function go(view, part, query) {
  const wanted = place(view, part, query);
  if (location.hash !== wanted) location.hash = wanted;
}

function ring(alarms) {
  const ringing = alarms.filter(each => each.state === 'ALARM');
  const pages = ringing.filter(each => each.pages && !each.suppressed);
  element('count-alarms').textContent = ringing.length;
  element('count-pages').textContent = pages.length;
  const first = pages.length ? pages : ringing.filter(each => !each.composite && !each.suppressed);
  renew(element('ringing'), first, () => (first.length ? make('ul', {}, ...first.map(each => make('li', {},
    make('b', { textContent: pages.length ? '✕ Page: ' : '▲ Ticket: ' }), link(each.title || each.name, place('alarms')), ' ', ...runbookLink(each.runbook)))) : []));
}

// One round: the view and the alarms. Old figures stay when the stack does not answer, and say of when they are.
async function round(number) {
  clearTimeout(shown.timer);
  try {
    await Promise.all([shown.refresh?.(), ask('alarms').then(ring)]);
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
    const tab = link(title, place(each));
    if (each === name) tab.setAttribute('aria-current', 'page');
    return tab;
  }));
  element('tabs').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  document.title = `${VIEWS[name]?.title || 'Watch'} · Darkroom`;
}

async function open() {
  const { view, part, query } = parsePlace(location.hash || place(FIRST));
  const found = VIEWS[view];
  shown.number += 1;
  const { number } = shown;
  clearTimeout(shown.timer);
  shown.refresh = null;
  mark(view);
  element('trouble').textContent = '';
  element('minutes').disabled = !found?.timed;
  const root = make('section', {}, make('h2', { className: 'spoken', textContent: found?.title || 'Not found' }));
  element('view').replaceChildren(root);
  if (!found) {
    root.append(empty(`There is no view “${view}”`, 'Choose one above.'));
    return;
  }
  try {
    const refresh = await found.open(root, { minutes: minutes(), part, query, go });
    if (number !== shown.number) return;
    shown.refresh = refresh;
  } catch (error) {
    // Nothing to renew yet: the whole view is tried again.
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

const kept = sessionStorage.getItem(MINUTES);
element('minutes').value = kept && [...element('minutes').options].some(each => each.value === kept) ? kept : '60';
element('minutes').onchange = () => {
  sessionStorage.setItem(MINUTES, element('minutes').value);
  open();
};
element('live').onclick = () => live(!shown.live);
window.addEventListener('hashchange', () => { if (location.hash !== '#view') open(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden && shown.live) round(shown.number); });
open();
