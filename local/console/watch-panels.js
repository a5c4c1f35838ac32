// Panels of a dashboard: each kind of panel is a function that returns an element and its update function.

import { make } from './page.js';
import { failedList } from './watch-failed.js';
import { formatSeries, lastOf, lineChart, withValues, spark } from './watch-charts.js';
import { codes, logList } from './watch-logs.js';
import { request, empty, updateIfChanged } from './watch-page.js';
import { sampleList } from './watch-samples.js';
import { traceList } from './watch-traces.js';
import { adds, formatValue, span, unitWord } from './watch-format.js';

const SHOWN_ROWS = 8;
const NO_DATA = 'Request or upload an image: its data appear here within a minute. Or choose a longer time range.';

// Hints for panels that requests for images do not fill, by panel id.
const REPLAY = 'The monitor runs the golden set once a day, or when it is invoked with {"watch": ["quality"]}.';
const HINTS = {
  cost: 'The monitor computes it from metrics and the price table at each run.',
  quality: REPLAY,
  accuracy: REPLAY,
  'false-alarms': REPLAY,
  inputs: 'The monitor compares images with a baseline, which it creates after enough images were analysed.',
  outputs: 'The monitor compares models with a baseline, which it creates after enough images were analysed.',
  gpu: 'The local endpoint has no GPU; on AWS the endpoint publishes this metric.',
};

const noData = (panel, minutes) => empty(`No data in the last ${span(minutes)}`, HINTS[panel.id] || NO_DATA);

const valuesOf = series => series.points.map(point => point[1]).filter(value => value !== null);
const total = series => valuesOf(series).reduce((sum, value) => sum + value, 0);
const targetLabel = ({ target, unit }) => (target === null || target === undefined ? [] : [
  make('span', { className: 'aim', textContent: `target ${formatValue(target, unit)}` })]);

function line(panel) {
  const chart = lineChart(panel);
  const body = make('div', {}, chart.element);
  return {
    body,
    update(data, { from_s, to_s, minutes }) {
      const some = withValues(data.series).length > 0;
      updateIfChanged(body, [some, some || minutes], () => (some ? chart.element : noData(panel, minutes)));
      if (some) chart.update({ series: data.series, from_s, to_s });
    },
  };
}

function number(panel) {
  const body = make('div', { className: 'number' });
  return {
    body,
    update(data, { minutes }) {
      updateIfChanged(body, [data, minutes], () => {
        const own = data.series[0] && lastOf(data.series[0].points);
        const value = data.value ?? (data.series[0] && adds(panel.unit) && withValues(data.series).length ? total(data.series[0]) : own?.[1]);
        const shown = make('div', { className: 'value', textContent: formatValue(value, panel.unit) });
        const text = value === null || value === undefined ? [make('span', { className: 'aim', textContent: 'no data yet' })] : [];
        return [make('div', { className: 'big' }, shown, ...targetLabel(panel), ...text), ...(data.series[0] ? spark(data.series[0].points) : [])];
      });
    },
  };
}

function bars(panel) {
  const body = make('div', {});
  return {
    body,
    update(data, { minutes }) {
      updateIfChanged(body, [data.series.map(each => [each.label, valuesOf(each)]), minutes], () => {
        const size = each => (adds(panel.unit) ? total(each) : valuesOf(each).at(-1));
        const rows = data.series.filter(each => valuesOf(each).length);
        if (adds(panel.unit)) rows.sort((one, other) => size(other) - size(one));
        if (!rows.length) return noData(panel, minutes);
        const most = panel.unit === '%' || panel.unit === 'Percent' ? 100 : Math.max(...rows.map(size), 0) || 1;
        return [make('ul', { className: 'bars' }, ...rows.map(each => {
          const bar = make('i', {});
          bar.style.width = `${Math.max(0, (size(each) / most) * 100)}%`;
          return make('li', {}, make('span', { textContent: each.label }), make('div', { className: 'bar-track' }, bar),
            make('b', { textContent: formatSeries(each, panel.unit) }));
        })), ...targetLabel(panel)];
      });
    },
  };
}

function table(panel) {
  const body = make('div', {});
  return {
    body,
    update(data, { minutes }) {
      updateIfChanged(body, [data.series, minutes], () => {
        const rows = data.series.filter(each => valuesOf(each).length);
        if (!rows.length) return noData(panel, minutes);
        const head = ['series', adds(panel.unit) ? 'total' : 'latest', 'highest', 'trend'];
        return [make('table', { className: 'figures' },
          make('thead', {}, make('tr', {}, ...head.map(text => make('th', { scope: 'col', textContent: text })))),
          make('tbody', {}, ...rows.map(each => make('tr', {}, make('th', { scope: 'row', textContent: each.label }),
            make('td', { textContent: formatSeries(each, panel.unit) }),
            make('td', { textContent: formatValue(Math.max(...valuesOf(each)), panel.unit) }),
            make('td', {}, ...spark(each.points, 90, 22)))))), ...targetLabel(panel)];
      });
    },
  };
}

// Panels of records read lists of the API, not metrics.
const listPanel = (path, query, made) => () => {
  const body = make('div', {});
  return {
    body,
    async update(_, { minutes }) {
      const data = await request(path, query(minutes));
      updateIfChanged(body, data, () => made(data, minutes));
    },
  };
};

const slowest = data => traceList([...data].sort((one, other) => other.duration_ms - one.duration_ms).slice(0, SHOWN_ROWS));

const KINDS = {
  line,
  number,
  bars,
  table,
  traces: listPanel('traces', minutes => ({ minutes }), slowest),
  failed: listPanel('failed', () => ({ limit: SHOWN_ROWS }), data => failedList(data.slice(0, SHOWN_ROWS))),
  samples: listPanel('samples', minutes => ({ minutes }), data => sampleList(data.slice(0, SHOWN_ROWS))),
  logs: listPanel('logs', minutes => ({ minutes }), data => [codes(data), logList(data.filter(each => each.code).slice(0, SHOWN_ROWS))]),
};

const WIDE = new Set(['traces', 'failed', 'logs', 'samples']);

/** Return `panel` as an article: `{ element, update(data, range) }`. An unknown kind is a table. */
export function buildPanel(panel) {
  const made = (KINDS[panel.kind] || table)(panel);
  const head = [make('h3', { textContent: panel.title }), make('span', { className: 'unit', textContent: unitWord(panel.unit) })];
  const section = panel.section && panel.section !== panel.title ? [make('p', { className: 'section', textContent: panel.section })] : [];
  const element = make('article', { className: `panel ${panel.kind} ${WIDE.has(panel.kind) ? 'wide' : ''}` },
    ...section, make('div', { className: 'panel-head' }, ...head), ...(panel.about ? [make('p', { className: 'about', textContent: panel.about })] : []), made.body);
  element.dataset.id = panel.id;
  const withWindow = range => (panel.window_s ? { ...range, minutes: panel.window_s / 60, from_s: range.to_s - panel.window_s } : range);
  return { element, update: (data, range) => made.update(data, withWindow(range)) };
}
