// Alarms: what is wrong now, since when, what to do; and how it went.

import { make } from './page.js';
import { ask, chip, empty, renew, when, link, place } from './watch-page.js';
import { tickTime, moment, said, ago } from './watch-words.js';
import { timeTicks } from './watch-scales.js';

const STATES = {
  ALARM: { colour: 'error', words: '✕ alarm', order: 0 },
  INSUFFICIENT_DATA: { colour: 'soft', words: '? no data', order: 1 },
  OK: { colour: 'hit', words: '● ok', order: 2 },
};
const stateOf = state => STATES[state] || { colour: '', words: state, order: 1 };
const stateChip = state => chip(stateOf(state).colour, stateOf(state).words);
const urgency = each => [stateOf(each.state).order, each.suppressed ? 1 : 0, each.pages ? 0 : 1, each.composite ? 0 : 1];

function byUrgency(one, other) {
  const [mine, theirs] = [urgency(one), urgency(other)];
  const at = mine.findIndex((value, index) => value !== theirs[index]);
  return at < 0 ? one.name.localeCompare(other.name) : mine[at] - theirs[at];
}

/** The link to an alarm's runbook, which the console shows. */
export function runbookLink(runbook) {
  const name = /([\w-]+)(?:\.md)?(?:#.*)?$/.exec(runbook || '')?.[1];
  return name ? [link('runbook', place('runbooks', name), { className: 'runbook' })] : [];
}

const against = each => (each.threshold === null || each.threshold === undefined || each.composite
  ? '' : `${said(each.value, '')} against ${said(each.threshold, '')}`);

function row(each) {
  const tags = [...(each.pages ? [chip('page', 'pages')] : []), ...(each.suppressed ? [chip('soft', 'suppressed')] : []),
    ...(each.composite ? [chip('soft', 'composite')] : [])];
  return make('tr', { className: each.state === 'ALARM' && !each.suppressed ? 'ringing' : '' },
    make('td', {}, stateChip(each.state)),
    make('th', { scope: 'row' }, make('span', { textContent: each.title || each.name }), ' ', ...tags,
      ...(each.reason ? [make('div', { className: 'detail', textContent: each.reason })] : [])),
    make('td', { className: 'against', textContent: against(each) }),
    make('td', {}, ...(each.since_s ? [when(each.since_s), make('span', { className: 'detail', textContent: ` ${ago(each.since_s)}` })] : [])),
    make('td', {}, ...runbookLink(each.runbook)));
}

function table(alarms) {
  return make('table', { className: 'alarms' },
    make('thead', {}, make('tr', {}, ...['state', 'alarm', 'value', 'since', 'what to do'].map(text => make('th', { scope: 'col', textContent: text })))),
    make('tbody', {}, ...alarms.map(row)));
}

const matters = each => each.state === 'ALARM' || each.pages;
const number = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** Something of which the number is enough until somebody asks; it stays open while it is renewed. */
function folded() {
  const title = make('summary', {});
  const body = make('div', {});
  const element = make('details', { className: 'folded', hidden: true }, title, body);
  return {
    element,
    renew(told, words, made) {
      element.hidden = !told.length;
      title.textContent = words;
      renew(body, told, made);
    },
  };
}

/** When an alarm was in which state between two times, of its `changes` (oldest first). */
export function spansOf(changes, from_s, to_s) {
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
  const spans = spansOf(changes, from_s, to_s);
  const bar = make('div', { className: 'lane' }, ...spans.map(each => {
    const part = make('i', { className: each.state, title: `${stateOf(each.state).words}, ${moment(each.from_s)} to ${moment(each.to_s)}` });
    part.style.left = `${((each.from_s - from_s) / (to_s - from_s)) * 100}%`;
    part.style.width = `${((each.to_s - each.from_s) / (to_s - from_s)) * 100}%`;
    return part;
  }));
  bar.setAttribute('role', 'img');
  const times = changes.filter(change => change.to === 'ALARM').length;
  bar.setAttribute('aria-label', `${name}: went into alarm ${times === 1 ? 'once' : `${times} times`}`);
  return make('div', { className: 'lane-row' }, make('span', { className: 'lane-name', textContent: name, title: name }), bar);
}

// What is not about ringing is the first evaluation of an alarm, or a lack of data.
const rang = each => each.to === 'ALARM' || each.from === 'ALARM';

function timeline(changes, titles, minutes) {
  const to_s = Date.now() / 1000;
  const from_s = to_s - minutes * 60;
  const oldest = [...changes].sort((one, other) => one.at_s - other.at_s);
  const names = [...new Set(oldest.filter(rang).map(each => each.name))];
  const recent = oldest.filter(each => each.at_s >= from_s && rang(each)).reverse();
  if (!recent.length && !names.length) return empty('No alarm has rung in this time');
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

/** The view of all alarms and their history. */
export async function alarmsView(root, { minutes }) {
  const now = make('div', {});
  const past = make('div', {});
  const well = folded();
  const quiet = folded();
  root.append(now, well.element, make('h3', { textContent: 'How it went' }), past, quiet.element);
  return async () => {
    const [alarms, history] = await Promise.all([ask('alarms'), ask('alarms/history')]);
    const titles = new Map(alarms.map(each => [each.name, each.title || each.name]));
    const sorted = [...alarms].sort(byUrgency);
    const first = sorted.filter(matters);
    const others = sorted.filter(each => !matters(each));
    const still = history.filter(each => !rang(each)).sort((one, other) => other.at_s - one.at_s);
    renew(now, [alarms.length > 0, first], () => (alarms.length ? table(first) : empty('No alarm is known yet', 'They are read from the deployed template; the first are evaluated some seconds after the start.')));
    well.renew(others, `${number(others.length, 'other alarm', 'other alarms')}, none of them rings`, () => table(others));
    quiet.renew(still, `${number(still.length, 'change', 'changes')} without an alarm`, () => changesOf(still, titles));
    renew(past, [history, minutes, Math.floor(Date.now() / 30_000)], () => timeline(history, titles, minutes));
  };
}
