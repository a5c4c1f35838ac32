// A dashboard: its panels, renewed together.

import { make } from './page.js';
import { panelOf } from './watch-panels.js';
import { ask, empty } from './watch-page.js';

/** The view of the dashboard `name`: `open(root)` answers what renews it. */
export const dashboardView = name => async (root, { minutes }) => {
  const { dashboards } = await ask('dashboards');
  const found = dashboards.find(each => each.name === name);
  if (!found) {
    root.append(empty(`There is no dashboard ${name}`, `There are ${dashboards.map(each => each.name).join(', ')}.`));
    return async () => {};
  }
  const panels = found.panels.map(each => ({ ...panelOf({ target: null, ...each }), told: each }));
  root.append(make('div', { className: 'panels' }, ...panels.map(each => each.element)));

  return async () => {
    const { now_s, panels: told } = await ask('data', { dashboard: name, minutes });
    const seen = { minutes, from_s: now_s - minutes * 60, to_s: now_s };
    await Promise.all(panels.map(each => each.update(told[each.told.id] || { series: [], value: null }, seen)));
  };
};
