// The calculator of calculator.md: sums of products, with the coefficients of calculator-data.js.

/** Return the lines of the bill in US dollars for the inputs `values`. */
function evaluate(model, values) {
  const usd = line => line.terms.reduce(
    (sum, [coefficient, names]) => sum + names.reduce((product, name) => product * values[name], coefficient), 0);
  return model.lines.map(line => ({ label: line.label, period: line.period, usd: usd(line) }));
}

/** Return what the CDN and its misses cost a month: pay-as-you-go, after its free tier, and each level of each plan. */
function offer(model, values) {
  const { rates, free, functions, levels } = model;
  const views = values.views, gigabytes = values.image_kb * views / 1e6, misses = values.miss_percent / 100 * views;
  const byUsage = views * (rates.request + rates.functions) + gigabytes * rates.gigabyte + misses * rates.miss;
  const saved = Math.min(views, free.requests) * rates.request
    + Math.min(functions * views, free.functions) * rates.functions / functions
    + Math.min(gigabytes, free.gigabytes) * rates.gigabyte;
  return [
    { label: 'pay-as-you-go', usd: byUsage },
    { label: 'pay-as-you-go, after its free tier', usd: byUsage - saved },
    ...levels.map(level => ({
      label: level.label,
      usd: views <= level.requests && gigabytes <= level.gigabytes
        ? level.usd_per_month + misses * (level.by_store ? rates.miss : rates.miss_by_function) : null,
    })),
  ];
}

/** Return pay-as-you-go, the same after its free tier, and the cheapest plan, if one covers the month. */
function choose(offers) {
  const [cheapest] = offers.slice(2).filter(each => each.usd !== null).sort((one, other) => one.usd - other.usd);
  const plan = cheapest ? [{ label: `cheapest flat-rate plan: ${cheapest.label}`, usd: cheapest.usd }] : [];
  return [...offers.slice(0, 2), ...plan];
}

/** Return the sum of the lines of one period. */
function total(lines, period) {
  return lines.filter(line => line.period === period).reduce((sum, line) => sum + line.usd, 0);
}

/** Return the month with the cheapest offer, instead of the first one, which is in the lines. */
function sumCheapest(lines, offers) {
  const known = offers.filter(each => each.usd !== null).map(each => each.usd);
  return total(lines, 'month') - known[0] + Math.min(...known);
}

function format(usd) {
  return usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function show(root) {
  const make = (name, text = '') => Object.assign(document.createElement(name), { textContent: text });
  const form = make('form');
  const fields = model => model.inputs.map(each => {
    const label = make('label', `${each.label} `);
    const field = Object.assign(make('input'), { type: 'number', min: '0', step: 'any', name: each.name });
    field.value = String(each.default);
    label.style.display = 'block';
    field.style.cssText = 'border: 1px solid currentColor; padding: 0 0.4em; width: 9em';
    label.append(field);
    return label;
  });
  form.append(...fields(MODEL));
  const table = make('table'), plans = make('table');
  const row = (kind, ...texts) => {
    const cells = texts.map(text => make(kind, text));
    cells.slice(1).forEach(cell => { cell.style.textAlign = 'right'; });
    const element = make('tr');
    element.append(...cells);
    return element;
  };
  const update = () => {
    const values = Object.fromEntries(MODEL.inputs.map(each => [each.name, Number(form.elements[each.name].value) || 0]));
    const lines = evaluate(MODEL, values);
    const offers = offer(MODEL, values);
    table.replaceChildren(
      row('th', 'line', 'once, USD', 'a month, USD'),
      ...lines.map(({ label, period, usd }) => (period === 'once' ? row('td', label, format(usd), '') : row('td', label, '', format(usd)))),
      row('th', 'together, pay-as-you-go', format(total(lines, 'once')), format(total(lines, 'month'))));
    plans.replaceChildren(
      row('th', 'the CDN and its misses', 'a month, USD'),
      ...choose(offers).map(({ label, usd }) => row('td', label, format(usd))),
      row('th', 'the month together, with the cheapest', format(sumCheapest(lines, offers))));
  };
  form.addEventListener('input', update);
  form.addEventListener('submit', event => event.preventDefault());
  root.replaceChildren(form, table, plans);
  update();
}

if (typeof document !== 'undefined') show(document.getElementById('calculator'));
