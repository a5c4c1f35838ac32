// A dashboard: its panels, updated together.

import { make } from './page.js';
import { buildPanel } from './watch-panels.js';
import { request, empty } from './watch-page.js';

/** Return the view of the dashboard `name`: `open(root)` returns the function that updates it. */
export const dashboardView = name => async (root, { minutes }) => {
  const { dashboards } = await request('dashboards');
  const found = dashboards.find(each => each.name === name);
  if (!found) {
    root.append(empty(`Unknown dashboard ${name}`, `Dashboards: ${dashboards.map(each => each.name).join(', ')}.`));
    return async () => {};
  }
  const panels = found.panels.map(each => ({ ...buildPanel({ target: null, ...each }), panel: each }));
  root.append(make('div', { className: 'panels' }, ...panels.map(each => each.element)));

  return async () => {
    const { now_s, panels: data } = await request('data', { dashboard: name, minutes });
    const range = { minutes, from_s: now_s - minutes * 60, to_s: now_s };
    await Promise.all(panels.map(each => each.update(data[each.panel.id] || { series: [], value: null }, range)));
  };
};
