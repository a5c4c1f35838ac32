// The panels of a dashboard: each kind of panel is a maker of an element and of what renews it.

import { make } from './page.js';
import { failedList } from './watch-failed.js';
import { figureOf, lastOf, lineChart, measured, spark } from './watch-charts.js';
import { codes, logList } from './watch-logs.js';
import { ask, empty, renew } from './watch-page.js';
import { traceList } from './watch-traces.js';
import { adds, said, span, unitWord } from './watch-words.js';

const SHOWN_ROWS = 8;
const ASK = 'Ask for a picture or upload one, and it appears here within a minute; or look at a longer time.';

// What fills panels that pictures alone do not fill, by their ids.
const REPLAY = 'The monitor replays the golden set once a day, or when it is called with {"watch": ["quality"]}.';
const HINTS = {
  cost: 'The monitor reckons it from what was served and the price table, each time it runs.',
  quality: REPLAY,
  'false-alarms': REPLAY,
  inputs: 'The monitor compares pictures with a baseline, which it makes of what models have looked at, once that is enough.',
  outputs: 'The monitor compares models with a baseline, which it makes of what they have looked at, once that is enough.',
  gpu: 'Behind a stack on this machine there is no GPU; on AWS the endpoint measures it.',
};

const nothing = (panel, minutes) => empty(`Nothing measured in the last ${span(minutes)}`, HINTS[panel.id] || ASK);

const valuesOf = series => series.points.map(point => point[1]).filter(value => value !== null);
const total = series => valuesOf(series).reduce((sum, value) => sum + value, 0);
const goal = ({ target, unit }) => (target === null || target === undefined ? [] : [
  make('span', { className: 'aim', textContent: `target ${said(target, unit)}` })]);

function line(panel) {
  const chart = lineChart(panel);
  const body = make('div', {}, chart.element);
  return {
    body,
    update(told, { from_s, to_s, minutes }) {
      const some = measured(told.series).length > 0;
      renew(body, [some, some || minutes], () => (some ? chart.element : nothing(panel, minutes)));
      if (some) chart.update({ series: told.series, from_s, to_s });
    },
  };
}

function number(panel) {
  const body = make('div', { className: 'number' });
  return {
    body,
    update(told, { minutes }) {
      renew(body, [told, minutes], () => {
        const own = told.series[0] && lastOf(told.series[0].points);
        const value = told.value ?? (told.series[0] && adds(panel.unit) && measured(told.series).length ? total(told.series[0]) : own?.[1]);
        const shown = make('div', { className: 'value', textContent: said(value, panel.unit) });
        const words = value === null || value === undefined ? [make('span', { className: 'aim', textContent: 'nothing measured yet' })] : [];
        return [make('div', { className: 'big' }, shown, ...goal(panel), ...words), ...(told.series[0] ? spark(told.series[0].points) : [])];
      });
    },
  };
}

function bars(panel) {
  const body = make('div', {});
  return {
    body,
    update(told, { minutes }) {
      renew(body, [told.series.map(each => [each.label, valuesOf(each)]), minutes], () => {
        const size = each => (adds(panel.unit) ? total(each) : valuesOf(each).at(-1));
        const rows = told.series.filter(each => valuesOf(each).length);
        if (adds(panel.unit)) rows.sort((one, other) => size(other) - size(one));
        if (!rows.length) return nothing(panel, minutes);
        const most = panel.unit === '%' || panel.unit === 'Percent' ? 100 : Math.max(...rows.map(size), 0) || 1;
        return [make('ul', { className: 'bars' }, ...rows.map(each => {
          const bar = make('i', {});
          bar.style.width = `${Math.max(0, (size(each) / most) * 100)}%`;
          return make('li', {}, make('span', { textContent: each.label }), make('div', { className: 'bar-track' }, bar),
            make('b', { textContent: figureOf(each, panel.unit) }));
        })), ...goal(panel)];
      });
    },
  };
}

function table(panel) {
  const body = make('div', {});
  return {
    body,
    update(told, { minutes }) {
      renew(body, [told.series, minutes], () => {
        const rows = told.series.filter(each => valuesOf(each).length);
        if (!rows.length) return nothing(panel, minutes);
        const head = ['', adds(panel.unit) ? 'in all' : 'latest', 'highest', 'course'];
        return [make('table', { className: 'figures' },
          make('thead', {}, make('tr', {}, ...head.map(text => make('th', { scope: 'col', textContent: text })))),
          make('tbody', {}, ...rows.map(each => make('tr', {}, make('th', { scope: 'row', textContent: each.label }),
            make('td', { textContent: figureOf(each, panel.unit) }),
            make('td', { textContent: said(Math.max(...valuesOf(each)), panel.unit) }),
            make('td', {}, ...spark(each.points, 90, 22)))))), ...goal(panel)];
      });
    },
  };
}

// Panels of records come from the stack's lists, not from its figures.
const listed = (path, query, made) => () => {
  const body = make('div', {});
  return {
    body,
    async update(_, { minutes }) {
      const told = await ask(path, query(minutes));
      renew(body, told, () => made(told, minutes));
    },
  };
};

const slowest = told => traceList([...told].sort((one, other) => other.duration_ms - one.duration_ms).slice(0, SHOWN_ROWS));

const KINDS = {
  line,
  number,
  bars,
  table,
  traces: listed('traces', minutes => ({ minutes }), slowest),
  failed: listed('failed', () => ({ limit: SHOWN_ROWS }), told => failedList(told.slice(0, SHOWN_ROWS))),
  logs: listed('logs', minutes => ({ minutes }), told => [codes(told), logList(told.filter(each => each.code).slice(0, SHOWN_ROWS))]),
};

const WIDE = new Set(['traces', 'failed', 'logs']);

/** `panel` as an article: `{ element, update(told, span) }`; an unknown kind says so. */
export function panelOf(panel) {
  const made = (KINDS[panel.kind] || table)(panel);
  const words = [make('h3', { textContent: panel.title }), make('span', { className: 'unit', textContent: unitWord(panel.unit) })];
  const section = panel.section && panel.section !== panel.title ? [make('p', { className: 'section', textContent: panel.section })] : [];
  const element = make('article', { className: `panel ${panel.kind} ${WIDE.has(panel.kind) ? 'wide' : ''}` },
    ...section, make('div', { className: 'panel-head' }, ...words), ...(panel.about ? [make('p', { className: 'about', textContent: panel.about })] : []), made.body);
  element.dataset.id = panel.id;
  const of = seen => (panel.window_s ? { ...seen, minutes: panel.window_s / 60 } : seen);
  return { element, update: (told, seen) => made.update(told, of(seen)) };
}
