// One trace: its segments as nested bars over time, with annotations and metadata.

import { make } from './page.js';
import { chip, empty, facts, keyLink } from './watch-page.js';
import { ticks } from './watch-scales.js';
import { moment, formatValue } from './watch-format.js';

const KINDS = { function: 'function', stage: 'stage', remote: 'remote', aws: 'call to AWS' };
const MARKS = { ok: '', error: '▲', fault: '✕' };
const MANY = 25;
const DEEPEST_INDENT = 8;
const TICKS = 5;

const ms = value => formatValue(value, 'Milliseconds');
const endOf = segments => Math.max(0, ...segments.map(each => Math.max(each.start_ms + each.duration_ms, endOf(each.children || []))));

const shown = (name, value) => (name === 'key' && typeof value === 'string' ? keyLink(value) : value);
const listNotes = (title, values) => {
  const pairs = Object.entries(values || {});
  return pairs.length ? [make('h4', { textContent: title }), facts(pairs.map(([name, value]) => [name, shown(name, value)]))] : [];
};

function details(segment) {
  return make('div', { className: 'segment-details' },
    facts([['starts', `${ms(segment.start_ms)} after the trace starts`], ['takes', ms(segment.duration_ms)], ['kind', KINDS[segment.kind] || segment.kind],
      ['ended', segment.status === 'ok' ? 'successfully' : `with ${segment.status === 'error' ? 'an error' : 'a fault'}`]]),
    ...listNotes('Annotations', segment.annotations), ...listNotes('Metadata', segment.metadata));
}

function barOf(segment, whole_ms) {
  const bar = make('i', { className: `${segment.kind} ${segment.status}` });
  bar.style.left = `${(segment.start_ms / whole_ms) * 100}%`;
  bar.style.width = `${Math.min(100, (segment.duration_ms / whole_ms) * 100)}%`;
  return make('span', { className: 'bar-track' }, bar);
}

function row(segment, depth, whole_ms) {
  const detail = make('div', { hidden: true });
  const label = make('span', { className: 'segment-name' },
    make('i', { className: `key-mark ${segment.kind}`, title: KINDS[segment.kind] || segment.kind }), segment.name);
  label.style.setProperty('--depth', Math.min(depth, DEEPEST_INDENT));
  if (MARKS[segment.status]) label.append(' ', chip(segment.status === 'fault' ? 'error' : 'miss', `${MARKS[segment.status]} ${segment.status}`));
  const button = make('button', { type: 'button', className: 'segment' },
    label, barOf(segment, whole_ms), make('b', { textContent: ms(segment.duration_ms) }));
  button.dataset.id = segment.id;
  button.setAttribute('aria-expanded', 'false');
  button.onclick = () => {
    detail.hidden = !detail.hidden;
    button.setAttribute('aria-expanded', String(!detail.hidden));
    if (!detail.hidden) detail.replaceChildren(details(segment));
  };
  const item = make('li', { className: segment.kind }, button, detail);
  if (segment.children?.length) item.append(make('ol', {}, ...segment.children.map(each => row(each, depth + 1, whole_ms))));
  return item;
}

function ruler(whole_ms) {
  const marks = ticks(0, whole_ms, { count: TICKS, second: 1000 }).filter(mark => mark <= whole_ms);
  const made = make('div', { className: 'ruler', ariaHidden: 'true' }, make('span', {}), make('span', { className: 'marks' }, ...marks.map(mark => {
    const word = make('i', { textContent: ms(mark) });
    word.style.left = `${(mark / whole_ms) * 100}%`;
    return word;
  })), make('span', {}));
  return { made, apart: marks.length > 1 ? marks[1] / whole_ms : 1 };
}

const legend = () => make('ul', { className: 'kinds' }, ...Object.entries(KINDS).map(([kind, text]) =>
  make('li', {}, make('i', { className: `key-mark ${kind}` }), text)));

const flat = segments => segments.flatMap(each => [each, ...flat(each.children || [])]);

// Calls to AWS are numerous and short: in a long trace they are hidden by default.
function callsSwitch(segments, drawn) {
  const all = flat(segments);
  const calls = all.filter(each => each.kind === 'aws');
  if (!calls.length) return [];
  const failed = calls.filter(each => each.status !== 'ok').length;
  const box = make('input', { type: 'checkbox', checked: all.length <= MANY });
  const show = () => drawn.classList.toggle('without-calls', !box.checked);
  box.onchange = show;
  show();
  const text = `${calls.length} calls to AWS${failed ? `, ${failed} with an error` : ''}`;
  return [make('label', { className: 'calls' }, box, text)];
}

/** Return the waterfall of `trace`, as the API returns it. */
export function waterfall(trace) {
  if (!trace.segments.length) return empty('The trace is empty', 'The stack stores only the newest traces.');
  const whole_ms = Math.max(trace.duration_ms, endOf(trace.segments)) || 1;
  const found = flat(trace.segments).length;
  const { made, apart } = ruler(whole_ms);
  const drawn = make('div', { className: 'waterfall' }, made, make('ol', {}, ...trace.segments.map(each => row(each, 0, whole_ms))));
  drawn.style.setProperty('--apart', `${apart * 100}%`);
  return [
    make('div', { className: 'section-head' }, make('h3', { className: 'trace-title', textContent: `Trace ${trace.trace_id}` })),
    make('p', { className: 'note', textContent: `${moment(trace.started_s)} · ${ms(whole_ms)} · ${found} ${found === 1 ? 'segment' : 'segments'}. Select one for its annotations and metadata.` }),
    make('div', { className: 'waterfall-head' }, legend(), ...callsSwitch(trace.segments, drawn)),
    drawn,
  ];
}
