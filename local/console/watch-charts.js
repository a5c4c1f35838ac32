// A line chart: axis from 0, unit, target, gaps for missing data, values by pointer or arrow keys.

import { make } from './page.js';
import { nearest, splitRuns, timeTicks, valueTicks } from './watch-scales.js';
import { colour, stroke, svg, drawTrack } from './watch-svg.js';
import { adds, moment, formatValue, tickTime } from './watch-format.js';

const HEIGHT = 190;
const MARGIN = { top: 14, right: 12, bottom: 22 };
const DIGIT_PX = 6.4;
const TICK_EVERY_PX = 90;

const MANY = 3;

const withValues = series => series.flatMap(each => each.points).filter(([, value]) => value !== null);
const lastOf = points => points.findLast(([, value]) => value !== null) || null;

/** Format the value of a series: the sum of counts, otherwise the latest value. */
export function formatSeries({ points }, unit) {
  const values = points.map(point => point[1]).filter(value => value !== null);
  if (!values.length) return '–';
  return formatValue(adds(unit) ? values.reduce((sum, value) => sum + value, 0) : values.at(-1), unit);
}

// Describe the chart as text for screen readers.
function describe({ title, unit, target }, series) {
  const parts = series.map(each => {
    const values = each.points.map(point => point[1]).filter(value => value !== null);
    if (!values.length) return `${each.label}: no data.`;
    const spread = `lowest ${formatValue(Math.min(...values), unit)}, highest ${formatValue(Math.max(...values), unit)}`;
    return `${each.label}: latest ${formatValue(values.at(-1), unit)}, ${spread}.`;
  });
  const goal = target === null ? '' : ` Target ${formatValue(target, unit)}.`;
  return `${title}. ${parts.join(' ')}${goal} Arrow keys read single values.`;
}

/** Return scales from time and value to pixels for a chart `width` pixels wide, with tick marks. */
function frame({ unit, target }, { series, from_s, to_s }, width) {
  const { marks, targetShown } = valueTicks(withValues(series).map(point => point[1]), unit, target);
  const labels = marks.map(mark => formatValue(mark, unit));
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

function axes(scale) {
  const { marks: times, step_s } = timeTicks(scale.from_s, scale.to_s, Math.max(2, (scale.width - scale.left) / TICK_EVERY_PX));
  const lines = scale.marks.map((mark, index) => [
    svg('line', { class: index ? 'grid' : 'base', x1: scale.left, x2: scale.right, y1: scale.y(mark), y2: scale.y(mark) }),
    svg('text', { class: 'tick', x: scale.left - 6, y: scale.y(mark) + 4, 'text-anchor': 'end', textContent: scale.labels[index] }),
  ]);
  const words = times.map(at => svg('text', {
    class: 'tick', x: scale.x(at), y: HEIGHT - 5, 'text-anchor': scale.right - scale.x(at) < 20 ? 'end' : 'middle',
    textContent: tickTime(at, step_s),
  }));
  return [...lines.flat(), ...words];
}

function drawTarget({ target, unit }, scale) {
  if (target === null) return [];
  const text = `target ${formatValue(target, unit)}`;
  if (!scale.targetShown) {
    return [svg('text', { class: 'goal', x: scale.right, y: 9, 'text-anchor': 'end', textContent: `${text}, outside the scale` })];
  }
  const y = scale.y(target);
  const y_text = y < MARGIN.top + 12 ? y + 12 : y - 4;
  return [
    svg('line', { class: 'goal', x1: scale.left, x2: scale.right, y1: y, y2: y }),
    svg('text', { class: 'goal', x: scale.right, y: y_text, 'text-anchor': 'end', textContent: text }),
  ];
}

// Split series into drawn ones, with their index for colours, and, if there are many, ones that are 0 throughout.
function splitFlat(series) {
  const all = series.map((each, index) => ({ ...each, index })).filter(each => withValues([each]).length);
  const flat = all.length > MANY ? all.filter(each => each.points.every(([, value]) => !value)) : [];
  return flat.length < all.length ? { drawn: all.filter(each => !flat.includes(each)), flat } : { drawn: all, flat: [] };
}

const drawSeries = (series, scale) => series.flatMap(({ points, index }) =>
  splitRuns(points.filter(([at]) => at >= scale.from_s && at <= scale.to_s))
    .map(run => drawTrack(run.map(([at, value]) => [scale.x(at), scale.y(value)]), index)));

const sample = index => svg('svg', { class: 'sample', width: 22, height: 8, 'aria-hidden': 'true' },
  svg('line', { ...stroke(index), x1: 0, x2: 22, y1: 4, y2: 4 }));

function legend({ drawn, flat }, unit) {
  const zero = flat.length ? [make('li', {}, make('span', { textContent: `0 throughout: ${flat.map(each => each.label).join(', ')}` }))] : [];
  return make('ul', { className: 'legend-row' }, ...drawn.map(each => make('li', {},
    sample(each.index), make('span', { textContent: each.label }), make('b', { textContent: formatSeries(each, unit) }))), ...zero);
}

// Return all times with a value, for the arrow keys.
const times = series => [...new Set(withValues(series).map(point => point[0]))].sort((one, other) => one - other);

/** Create a chart of `panel` (`title`, `unit`, `target`): `{ element, update({ series, from_s, to_s }) }`; times are Unix seconds. */
export function lineChart(panel) {
  const drawing = svg('svg', { class: 'chart', role: 'img', tabindex: '0', height: HEIGHT });
  const reading = make('div', { className: 'reading', hidden: true });
  const under = make('div', {});
  const element = make('div', { className: 'line-chart' }, make('div', { className: 'drawn' }, drawing, reading), under);
  const state = { data: null, series: [], scale: null, at_s: null };

  function read() {
    drawing.querySelector('.cursor')?.remove();
    reading.hidden = state.at_s === null;
    if (state.at_s === null) return;
    const { series } = state;
    const { from_s, to_s } = state.data;
    const found = series.map(each => nearest(each.points, state.at_s, Math.max(60, (to_s - from_s) / 60)));
    const at_s = found.filter(Boolean).map(point => point[0])
      .sort((one, other) => Math.abs(one - state.at_s) - Math.abs(other - state.at_s))[0] ?? state.at_s;
    const x = Math.min(Math.max(state.scale.x(at_s), state.scale.left), state.scale.right);
    const dots = found.map((point, at) => point && svg('circle', {
      class: `dot ${colour(series[at].index)}`, cx: state.scale.x(point[0]), cy: state.scale.y(point[1]), r: 3.5,
    })).filter(Boolean);
    drawing.append(svg('g', { class: 'cursor' }, svg('line', { x1: x, x2: x, y1: MARGIN.top, y2: state.scale.bottom }), ...dots));
    reading.replaceChildren(make('b', { textContent: moment(at_s) }), ...series.map((each, at) => make('div', {},
      sample(each.index), make('span', { textContent: each.label }), make('b', { textContent: formatValue(found[at]?.[1], panel.unit) }))));
    const leftward = x > state.scale.width / 2;
    reading.style.left = leftward ? '' : `${x + 10}px`;
    reading.style.right = leftward ? `${state.scale.width - x + 10}px` : '';
  }

  function draw() {
    const width = element.clientWidth;
    if (!state.data || !width) return;
    state.scale = frame(panel, { ...state.data, series: state.series }, width);
    drawing.setAttribute('width', width);
    drawing.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    drawing.replaceChildren(...axes(state.scale), ...drawSeries(state.series, state.scale), ...drawTarget(panel, state.scale));
    read();
  }

  function point(at_s) {
    state.at_s = at_s;
    read();
  }

  drawing.addEventListener('pointermove', event => point(state.scale?.at(event.offsetX) ?? null));
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
    update(data) {
      const series = splitFlat(data.series);
      state.data = data;
      state.series = series.drawn;
      drawing.setAttribute('aria-label', describe(panel, data.series));
      under.replaceChildren(legend(series, panel.unit));
      draw();
    },
  };
}

/** Return a sparkline; nothing for less than two points. */
export function spark(points, width = 320, height = 48) {
  const known = points.filter(([, value]) => value !== null);
  if (known.length < 2) return [];
  const values = known.map(point => point[1]);
  const [first, last] = [known[0][0], known.at(-1)[0]];
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const x = at => 2 + ((width - 4) * (at - first)) / Math.max(1, last - first);
  const y = value => height - 3 - ((height - 6) * (value - low)) / (high - low || 1);
  const drawn = splitRuns(points).map(run => drawTrack(run.map(([at, value]) => [x(at), y(value)]), 0));
  return [svg('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, height, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...drawn)];
}

export { lastOf, withValues };
