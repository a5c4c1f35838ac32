// Alarms: states, values, runbooks and history.

import { make } from './page.js';
import { request, chip, empty, updateIfChanged, when, link, viewHash } from './watch-page.js';
import { tickTime, moment, formatValue, ago } from './watch-format.js';
import { timeTicks } from './watch-scales.js';

const STATES = {
  ALARM: { colour: 'error', text: '✕ alarm', order: 0 },
  INSUFFICIENT_DATA: { colour: 'soft', text: '? no data', order: 1 },
  OK: { colour: 'hit', text: '● ok', order: 2 },
};
const stateOf = state => STATES[state] || { colour: '', text: state, order: 1 };
const stateChip = state => chip(stateOf(state).colour, stateOf(state).text);
// A page, a ticket, or a part of another alarm, which sends no notification.
const level = each => (each.pages ? 0 : each.part_of ? 2 : 1);
const urgency = each => [stateOf(each.state).order, each.suppressed ? 1 : 0, level(each), each.composite ? 0 : 1];

function byUrgency(one, other) {
  const [mine, theirs] = [urgency(one), urgency(other)];
  const at = mine.findIndex((value, index) => value !== theirs[index]);
  return at < 0 ? one.name.localeCompare(other.name) : mine[at] - theirs[at];
}

/** Return the alarms in ALARM that have notified people, the most urgent first: no parts, and none that is suppressed. */
export const listWrong = alarms => alarms.filter(each => each.state === 'ALARM' && !each.suppressed && !each.part_of).sort(byUrgency);

/** Return the names of the runbooks of an alarm: of a composite, those of its active alarms. */
export const runbookNames = runbooks => runbooks.map(runbook => /([\w-]+)(?:\.md)?(?:#.*)?$/.exec(runbook)?.[1]).filter(Boolean);

/** Return the links to the runbooks of an alarm, which the console displays. */
export function runbookLinks(runbooks) {
  const names = runbookNames(runbooks);
  const links = names.map(name => link(names.length > 1 ? `runbook ${name}` : 'runbook', viewHash('runbooks', name), { className: 'runbook' }));
  return links.flatMap((each, index) => (index ? [' ', each] : [each]));
}

const against = each => (each.threshold === null || each.threshold === undefined || each.composite
  ? '' : `${formatValue(each.value, '')} against threshold ${formatValue(each.threshold, '')}`);

function row(each) {
  const tags = [...(each.pages ? [chip('page', 'pages')] : []), ...(each.suppressed ? [chip('soft', 'suppressed')] : []),
    ...(each.composite ? [chip('soft', 'composite')] : [])];
  return make('tr', { className: each.state === 'ALARM' && !each.suppressed ? 'in-alarm' : '' },
    make('td', {}, stateChip(each.state)),
    make('th', { scope: 'row' }, make('span', { textContent: each.title || each.name }), ' ', ...tags,
      ...(each.reason ? [make('div', { className: 'detail', textContent: each.reason })] : [])),
    make('td', { className: 'against', textContent: against(each) }),
    make('td', {}, ...(each.since_s ? [when(each.since_s), make('span', { className: 'detail', textContent: ` ${ago(each.since_s)}` })] : [])),
    make('td', {}, ...runbookLinks(each.runbooks)));
}

const opened = new Set();

// The parts of `each` as a row that is folded until it is opened; it stays open when it is updated.
function parts(each, byParent) {
  const found = byParent.get(each.name) || [];
  if (!found.length) return [];
  const active = found.filter(part => part.state === 'ALARM').length;
  const inside = make('details', { className: 'folded', open: opened.has(each.name) },
    make('summary', { textContent: `${number(found.length, 'part', 'parts')}, ${active || 'none'} in ALARM` }), table(found, byParent, 'parts'));
  inside.ontoggle = () => (inside.open ? opened.add(each.name) : opened.delete(each.name));
  return [make('tr', { className: 'inside' }, make('td', {}), make('td', { colSpan: 4 }, inside))];
}

function table(alarms, byParent, className = '') {
  return make('table', { className: `alarms ${className}`.trim() },
    make('thead', {}, make('tr', {}, ...['state', 'alarm', 'value', 'since', 'runbook'].map(text => make('th', { scope: 'col', textContent: text })))),
    make('tbody', {}, ...alarms.flatMap(each => [row(each), ...parts(each, byParent)])));
}

const matters = each => each.state === 'ALARM' || each.pages;
const number = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** Return a collapsible list with its count as the title; it stays open when it is updated. */
function buildCollapsible() {
  const title = make('summary', {});
  const body = make('div', {});
  const element = make('details', { className: 'folded', hidden: true }, title, body);
  return {
    element,
    update(items, text, render) {
      element.hidden = !items.length;
      title.textContent = text;
      updateIfChanged(body, items, render);
    },
  };
}

/** Return the states of an alarm between two times from its `changes` (oldest first). */
export function listSpans(changes, from_s, to_s) {
  const spans = [];
  let begun_s = from_s;
  let state = changes[0]?.from || 'INSUFFICIENT_DATA';
  for (const change of changes) {
    if (change.at_s > from_s) {
      spans.push({ state, from_s: begun_s, to_s: Math.min(change.at_s, to_s) });
      begun_s = change.at_s;
    }
    state = change.to;
  }
  if (begun_s < to_s) spans.push({ state, from_s: begun_s, to_s });
  return spans.filter(each => each.to_s > each.from_s);
}

function lane(name, changes, from_s, to_s) {
  const spans = listSpans(changes, from_s, to_s);
  const bar = make('div', { className: 'lane' }, ...spans.map(each => {
    const part = make('i', { className: each.state, title: `${stateOf(each.state).text}, ${moment(each.from_s)} to ${moment(each.to_s)}` });
    part.style.left = `${((each.from_s - from_s) / (to_s - from_s)) * 100}%`;
    part.style.width = `${((each.to_s - each.from_s) / (to_s - from_s)) * 100}%`;
    return part;
  }));
  bar.setAttribute('role', 'img');
  const times = changes.filter(change => change.to === 'ALARM').length;
  bar.setAttribute('aria-label', `${name}: entered ALARM ${times === 1 ? 'once' : `${times} times`}`);
  return make('div', { className: 'lane-row' }, make('span', { className: 'lane-name', textContent: name, title: name }), bar);
}

// Changes to or from ALARM; others are first evaluations or missing data.
const isAlarmChange = each => each.to === 'ALARM' || each.from === 'ALARM';

function timeline(changes, titles, minutes) {
  const to_s = Date.now() / 1000;
  const from_s = to_s - minutes * 60;
  const oldest = [...changes].sort((one, other) => one.at_s - other.at_s);
  const names = [...new Set(oldest.filter(isAlarmChange).map(each => each.name))];
  const recent = oldest.filter(each => each.at_s >= from_s && isAlarmChange(each)).reverse();
  if (!recent.length && !names.length) return empty('No alarm changed in this time range');
  const { marks, step_s } = timeTicks(from_s, to_s, 5);
  const scale = make('div', { className: 'lane-row', ariaHidden: 'true' }, make('span', {}), make('div', { className: 'lane-scale' }, ...marks.map(at => {
    const word = make('i', { textContent: tickTime(at, step_s) });
    word.style.left = `${((at - from_s) / (to_s - from_s)) * 100}%`;
    return word;
  })));
  const lanes = names.map(name => lane(titles.get(name) || name, oldest.filter(each => each.name === name), from_s, to_s));
  return [...(lanes.length ? [make('div', { className: 'lanes' }, ...lanes, scale)] : []),
    changesOf(recent, titles)];
}

const changesOf = (changes, titles) => make('ol', { className: 'rows logs' }, ...changes.slice(0, 100).map(each => make('li', {},
  make('div', { className: 'log' }, when(each.at_s), stateChip(each.from), '→', stateChip(each.to),
    make('span', { className: 'message', textContent: titles.get(each.name) || each.name }),
    make('span', { className: 'function', textContent: each.reason || '' })))));

/** Return the view of all alarms and their history. */
export async function alarmsView(root, { minutes }) {
  const now = make('div', {});
  const past = make('div', {});
  const inactive = buildCollapsible();
  const other = buildCollapsible();
  root.append(now, inactive.element, make('h3', { textContent: 'History' }), past, other.element);
  return async () => {
    const [alarms, history] = await Promise.all([request('alarms'), request('alarms/history')]);
    const titles = new Map(alarms.map(each => [each.name, each.title || each.name]));
    const sorted = [...alarms].sort(byUrgency);
    const byParent = Map.groupBy(sorted.filter(each => each.part_of), each => each.part_of);
    const top = sorted.filter(each => !each.part_of);
    const first = top.filter(matters);
    const others = top.filter(each => !matters(each));
    const still = history.filter(each => !isAlarmChange(each)).sort((one, other) => other.at_s - one.at_s);
    updateIfChanged(now, [sorted.length > 0, first, [...byParent]], () => (alarms.length ? table(first, byParent) : empty('No alarms loaded', 'Alarms are read from the deployed template. The first evaluation takes place some seconds after the start.')));
    inactive.update(others, `${number(others.length, 'other alarm', 'other alarms')}, none in ALARM`, () => table(others, byParent));
    other.update(still, `${number(still.length, 'change', 'changes')} without ALARM`, () => changesOf(still, titles));
    updateIfChanged(past, [history, minutes, Math.floor(Date.now() / 30_000)], () => timeline(history, titles, minutes));
  };
}
