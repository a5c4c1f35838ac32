// The calculator of calculator.md: sums of products, with the coefficients of calculator-data.js.

/** Return the lines of the bill in US dollars for the inputs `values`. */
function evaluate(model, values) {
  const usd = line => line.terms.reduce(
    (sum, [coefficient, names]) => sum + names.reduce((product, name) => product * values[name], coefficient), 0);
  return model.lines.map(line => ({ label: line.label, period: line.period, usd: usd(line) }));
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
  const table = make('table');
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
    const total = period => lines.filter(line => line.period === period).reduce((sum, line) => sum + line.usd, 0);
    table.replaceChildren(
      row('th', 'line', 'once, USD', 'a month, USD'),
      ...lines.map(({ label, period, usd }) => (period === 'once' ? row('td', label, format(usd), '') : row('td', label, '', format(usd)))),
      row('th', 'together', format(total('once')), format(total('month'))));
  };
  form.addEventListener('input', update);
  form.addEventListener('submit', event => event.preventDefault());
  root.replaceChildren(form, table);
  update();
}

if (typeof document !== 'undefined') show(document.getElementById('calculator'));
