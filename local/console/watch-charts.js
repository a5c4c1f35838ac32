// A line chart of one's own: axis from 0, unit, target, gaps where nothing was measured, values by pointer or arrow keys.

import { make } from './page.js';
import { nearest, runs, timeTicks, valueTicks } from './watch-scales.js';
import { colour, stroke, svg, track } from './watch-svg.js';
import { adds, moment, said, tickTime } from './watch-words.js';

const HEIGHT = 190;
const MARGIN = { top: 14, right: 12, bottom: 22 };
const DIGIT_PX = 6.4;
const TICK_EVERY_PX = 90;

const MANY = 3;

const measured = series => series.flatMap(each => each.points).filter(([, value]) => value !== null);
const lastOf = points => points.findLast(([, value]) => value !== null) || null;

/** A series' figure in words: the sum of counts, else the latest value. */
export function figureOf({ points }, unit) {
  const values = points.map(point => point[1]).filter(value => value !== null);
  if (!values.length) return '–';
  return said(adds(unit) ? values.reduce((sum, value) => sum + value, 0) : values.at(-1), unit);
}

// What the chart shows, for those who do not see it.
function described({ title, unit, target }, series) {
  const parts = series.map(each => {
    const values = each.points.map(point => point[1]).filter(value => value !== null);
    if (!values.length) return `${each.label}: nothing measured.`;
    const spread = `lowest ${said(Math.min(...values), unit)}, highest ${said(Math.max(...values), unit)}`;
    return `${each.label}: latest ${said(values.at(-1), unit)}, ${spread}.`;
  });
  const goal = target === null ? '' : ` Target ${said(target, unit)}.`;
  return `${title}. ${parts.join(' ')}${goal} Arrow keys read single values.`;
}

/** The places of a chart `width` pixels wide: scales from time and value to pixels, and their marks. */
function frame({ unit, target }, { series, from_s, to_s }, width) {
  const { marks, targetShown } = valueTicks(measured(series).map(point => point[1]), unit, target);
  const labels = marks.map(mark => said(mark, unit));
  const left = Math.ceil(Math.max(...labels.map(label => label.length)) * DIGIT_PX) + 10;
  const across = width - left - MARGIN.right;
  const down = HEIGHT - MARGIN.top - MARGIN.bottom;
  const [low, high] = [marks[0], marks.at(-1)];
  return {
    width, left, marks, labels, targetShown, from_s, to_s,
    right: width - MARGIN.right,
    bottom: HEIGHT - MARGIN.bottom,
    x: at => left + (across * (at - from_s)) / Math.max(1, to_s - from_s),
    y: value => MARGIN.top + down * (1 - (value - low) / (high - low)),
    at: x => from_s + ((x - left) / across) * (to_s - from_s),
  };
}

function axes(place) {
  const { marks: times, step_s } = timeTicks(place.from_s, place.to_s, Math.max(2, (place.width - place.left) / TICK_EVERY_PX));
  const lines = place.marks.map((mark, index) => [
    svg('line', { class: index ? 'grid' : 'base', x1: place.left, x2: place.right, y1: place.y(mark), y2: place.y(mark) }),
    svg('text', { class: 'tick', x: place.left - 6, y: place.y(mark) + 4, 'text-anchor': 'end', textContent: place.labels[index] }),
  ]);
  const words = times.map(at => svg('text', {
    class: 'tick', x: place.x(at), y: HEIGHT - 5, 'text-anchor': place.right - place.x(at) < 20 ? 'end' : 'middle',
    textContent: tickTime(at, step_s),
  }));
  return [...lines.flat(), ...words];
}

function goalOf({ target, unit }, place) {
  if (target === null) return [];
  const text = `target ${said(target, unit)}`;
  if (!place.targetShown) {
    return [svg('text', { class: 'goal', x: place.right, y: 9, 'text-anchor': 'end', textContent: `${text}, off this scale` })];
  }
  const y = place.y(target);
  const words = y < MARGIN.top + 12 ? y + 12 : y - 4;
  return [
    svg('line', { class: 'goal', x1: place.left, x2: place.right, y1: y, y2: y }),
    svg('text', { class: 'goal', x: place.right, y: words, 'text-anchor': 'end', textContent: text }),
  ];
}

// Series with their places in the panel, which give them their colours. Of many, those that are 0 throughout are only named.
function sorted(series) {
  const all = series.map((each, index) => ({ ...each, index })).filter(each => measured([each]).length);
  const flat = all.length > MANY ? all.filter(each => each.points.every(([, value]) => !value)) : [];
  return flat.length < all.length ? { drawn: all.filter(each => !flat.includes(each)), flat } : { drawn: all, flat: [] };
}

const tracks = (series, place) => series.flatMap(({ points, index }) =>
  runs(points.filter(([at]) => at >= place.from_s && at <= place.to_s))
    .map(run => track(run.map(([at, value]) => [place.x(at), place.y(value)]), index)));

const sample = index => svg('svg', { class: 'sample', width: 22, height: 8, 'aria-hidden': 'true' },
  svg('line', { ...stroke(index), x1: 0, x2: 22, y1: 4, y2: 4 }));

function legend({ drawn, flat }, unit) {
  const zero = flat.length ? [make('li', {}, make('span', { textContent: `0 throughout: ${flat.map(each => each.label).join(', ')}` }))] : [];
  return make('ul', { className: 'legend-row' }, ...drawn.map(each => make('li', {},
    sample(each.index), make('span', { textContent: each.label }), make('b', { textContent: figureOf(each, unit) }))), ...zero);
}

// All times at which something was measured, for the arrow keys.
const times = series => [...new Set(measured(series).map(point => point[0]))].sort((one, other) => one - other);

/** A chart of `panel` (`title`, `unit`, `target`): `{ element, update({ series, from_s, to_s }) }`; times are unix seconds. */
export function lineChart(panel) {
  const drawing = svg('svg', { class: 'chart', role: 'img', tabindex: '0', height: HEIGHT });
  const reading = make('div', { className: 'reading', hidden: true });
  const under = make('div', {});
  const element = make('div', { className: 'line-chart' }, make('div', { className: 'drawn' }, drawing, reading), under);
  const state = { told: null, series: [], place: null, at_s: null };

  function read() {
    drawing.querySelector('.cursor')?.remove();
    reading.hidden = state.at_s === null;
    if (state.at_s === null) return;
    const { series } = state;
    const { from_s, to_s } = state.told;
    const found = series.map(each => nearest(each.points, state.at_s, Math.max(60, (to_s - from_s) / 60)));
    const at_s = found.filter(Boolean).map(point => point[0])
      .sort((one, other) => Math.abs(one - state.at_s) - Math.abs(other - state.at_s))[0] ?? state.at_s;
    const x = Math.min(Math.max(state.place.x(at_s), state.place.left), state.place.right);
    const dots = found.map((point, at) => point && svg('circle', {
      class: `dot ${colour(series[at].index)}`, cx: state.place.x(point[0]), cy: state.place.y(point[1]), r: 3.5,
    })).filter(Boolean);
    drawing.append(svg('g', { class: 'cursor' }, svg('line', { x1: x, x2: x, y1: MARGIN.top, y2: state.place.bottom }), ...dots));
    reading.replaceChildren(make('b', { textContent: moment(at_s) }), ...series.map((each, at) => make('div', {},
      sample(each.index), make('span', { textContent: each.label }), make('b', { textContent: said(found[at]?.[1], panel.unit) }))));
    const leftward = x > state.place.width / 2;
    reading.style.left = leftward ? '' : `${x + 10}px`;
    reading.style.right = leftward ? `${state.place.width - x + 10}px` : '';
  }

  function draw() {
    const width = element.clientWidth;
    if (!state.told || !width) return;
    state.place = frame(panel, { ...state.told, series: state.series }, width);
    drawing.setAttribute('width', width);
    drawing.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    drawing.replaceChildren(...axes(state.place), ...tracks(state.series, state.place), ...goalOf(panel, state.place));
    read();
  }

  function point(at_s) {
    state.at_s = at_s;
    read();
  }

  drawing.addEventListener('pointermove', event => point(state.place?.at(event.offsetX) ?? null));
  drawing.addEventListener('pointerleave', () => point(null));
  drawing.addEventListener('blur', () => point(null));
  drawing.addEventListener('keydown', event => {
    const all = times(state.series);
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'Escape') point(null);
    if (!by || !all.length) return;
    event.preventDefault();
    reading.setAttribute('aria-live', 'polite');
    const here = state.at_s === null ? all.length : all.indexOf(nearest(all.map(at => [at, 0]), state.at_s, Infinity)[0]);
    point(all[Math.min(all.length - 1, Math.max(0, here + by))]);
  });
  new ResizeObserver(draw).observe(element);

  return {
    element,
    update(told) {
      const series = sorted(told.series);
      state.told = told;
      state.series = series.drawn;
      drawing.setAttribute('aria-label', described(panel, told.series));
      under.replaceChildren(legend(series, panel.unit));
      draw();
    },
  };
}

/** A line without axes beside a figure; nothing if there are not two points. */
export function spark(points, width = 320, height = 48) {
  const known = points.filter(([, value]) => value !== null);
  if (known.length < 2) return [];
  const values = known.map(point => point[1]);
  const [first, last] = [known[0][0], known.at(-1)[0]];
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const x = at => 2 + ((width - 4) * (at - first)) / Math.max(1, last - first);
  const y = value => height - 3 - ((height - 6) * (value - low)) / (high - low || 1);
  const drawn = runs(points).map(run => track(run.map(([at, value]) => [x(at), y(value)]), 0));
  return [svg('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, height, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...drawn)];
}

export { lastOf, measured };
