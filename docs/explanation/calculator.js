// The calculator of calculator.md. Prices and coefficients are in calculator-data.js; bench/cost has the same bills.

/** Return the product of a term for the inputs `values`. */
function multiply([, coefficient, names], values) {
  return names.reduce((product, name) => product * values[name], coefficient);
}

/** Return the lines of Darkroom's bill in US dollars, with pay-as-you-go. */
function evaluate(model, values) {
  const usd = line => line.terms.reduce((sum, term) => sum + multiply(term, values), 0);
  return model.lines.map(line => ({ label: line.label, period: line.period, usd: usd(line) }));
}

/** Return the sum of all parts of a bill. */
function sum(parts) {
  return Object.values(parts).reduce((total, usd) => total + usd, 0);
}

/** Return what the CDN and its misses cost a month by part: pay-as-you-go, after its free tier, levels of plans. */
function offer(model, values) {
  const { rates, free, functions, levels } = model;
  const views = values.views, gigabytes = values.image_kb * views / 1e6, misses = values.miss_percent / 100 * views;
  const requests = views * (rates.request + rates.functions) + misses * rates.miss;
  const saved = Math.min(views, free.requests) * rates.request
    + Math.min(functions * views, free.functions) * rates.functions / functions;
  const level = ({ label, usd_per_month, requests: included, gigabytes: delivered, by_store }) => ({
    label, usd_per_month, requests: included, gigabytes: delivered,
    parts: views <= included && gigabytes <= delivered ? {
      plan: usd_per_month,
      compute: by_store ? 0 : misses * rates.miss_compute,
      requests: misses * (by_store ? rates.miss : rates.miss_by_function - rates.miss_compute),
    } : null,
  });
  return [
    { label: 'pay-as-you-go', parts: { requests, delivery: gigabytes * rates.gigabyte } },
    {
      label: 'pay-as-you-go, after its free tier',
      parts: {
        requests: Math.max(0, requests - saved),
        delivery: Math.max(0, gigabytes - free.gigabytes) * rates.gigabyte,
      },
    },
    ...levels.map(level),
  ];
}

/** Return the cheapest of `offers`. */
function findCheapest(offers) {
  return offers.filter(each => each.parts).reduce((best, each) => (sum(each.parts) < sum(best.parts) ? each : best));
}

/** Return what imgproxy's tasks, balancer and reads of masters cost a month. */
function priceTasks(rates, values) {
  const misses = values.views * values.miss_percent / 100;
  const load = Math.max(misses * values.image_kb / 1e6, misses / rates.connections);
  return {
    compute: Math.max(rates.smallest, misses * rates.per_miss) * rates.task,
    requests: rates.balancer + load * rates.lcu + misses * rates.read,
  };
}

/** Return each service's bill of a month by part, with its cheapest plan; `parts` is null without a public price. */
function listBills(model, values) {
  return model.services.map(service => {
    const credits = (service.credits ?? []).reduce((total, term) => total + multiply(term, values), 0);
    const plan = service.plans
      ? service.plans.find(each => credits <= each.credits)
      : findCheapest(offer(model, { ...values, miss_percent: service.reads * values.miss_percent }));
    if (!plan) return { service: service.name, plan: model.no_price, parts: null, credits };
    const parts = Object.fromEntries(model.parts.map(part => [part, 0]));
    service.terms.forEach(term => { parts[term[0]] += multiply(term, values); });
    const others = [plan.parts ?? { plan: plan.usd_per_month }, service.tasks ? priceTasks(service.tasks, values) : {}];
    others.forEach(each => Object.entries(each).forEach(([part, usd]) => { parts[part] += usd; }));
    return { service: service.name, plan: plan.name ?? plan.label, parts, credits };
  });
}

/** Return the units of an input, the first of which is that of the model. */
function unitsOf(input) {
  return input.units.length ? input.units : [{ name: input.name, label: input.label, factor: 1, shared: false }];
}

/** Return the number that `text` is, or why it is none. */
function parse(text) {
  const plain = text.trim();
  if (/^-\s*[\d.]/.test(plain)) return { error: 'Enter 0 or more.' };
  if (!/^(\d{1,3}(,\d{3})+(\.\d*)?|\d+(\.\d*)?|\.\d+)(e\d{1,3})?$/i.test(plain)) {
    return { error: 'Enter a number, such as 2.5 or 50,000.' };
  }
  return { number: Number(plain.replaceAll(',', '')) };
}

/** Return the inputs of the model from `texts` in the units `chosen`, both by input, and what is wrong with them. */
function readInputs(model, texts, chosen) {
  const values = {}, errors = {};
  model.inputs.forEach(input => {
    const unit = unitsOf(input).find(each => each.name === chosen[input.name]) ?? unitsOf(input)[0];
    const { number, error } = parse(texts[input.name]);
    const factor = unit.shared ? unit.factor / values.views : unit.factor;
    const largest = input.largest / factor;
    if (error) errors[input.name] = error;
    else if (unit.shared && 'views' in errors) errors[input.name] = 'Correct the views first.';
    else if (unit.shared && !values.views) errors[input.name] = 'There are no views. Choose kB an image.';
    else if (number > largest) {
      const each = unit.shared ? `: ${count(input.largest)} kB an image` : '';
      errors[input.name] = `Enter at most ${count(largest)}${each}.`;
    }
    else values[input.name] = number * factor;
  });
  return { values, errors };
}

/** Return a number for people, with at most nine significant digits where it is not whole. */
function count(number) {
  return number.toLocaleString('en-US', Number.isInteger(number) ? {} : { maximumSignificantDigits: 9 });
}

function format(usd) {
  return usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Return a new element with properties and children. */
function make(name, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
}

/** Return a row whose first cell is a heading. */
function row(first, ...texts) {
  return make('tr', {}, make('th', { scope: 'row' }, first), ...texts.map(text => make('td', {}, text)));
}

/** Return a table with a caption, headings of columns and rows. */
function table(caption, headings, rows) {
  const head = make('tr', {}, ...headings.map(text => make('th', { scope: 'col' }, text)));
  const filled = make('table', { className: 'calc-table' }, make('caption', {}, caption),
    make('thead', {}, head), make('tbody', {}, ...rows));
  return make('div', {
    className: 'calc-scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': caption },
  }, filled);
}

/** Return a form with a field for each input, and the texts and units in it. */
function makeForm(model) {
  const fields = model.inputs.map(input => {
    const id = `calc-${input.name}`, units = unitsOf(input);
    const field = make('input', {
      id, name: input.name, type: 'text', inputMode: 'decimal', autocomplete: 'off', value: count(input.default),
      attributes: { 'aria-describedby': `${id}-error` },
    });
    const unit = make('select', {
      name: `${input.name}-unit`, attributes: { 'aria-label': `unit of ${input.title}` },
    }, ...units.map(each => make('option', { value: each.name }, each.label)));
    return make('div', { className: 'calc-field' },
      make('label', { htmlFor: id }, units.length > 1 ? input.title : input.label),
      make('span', { className: 'calc-number' }, field, ...(units.length > 1 ? [unit] : [])),
      make('span', { id: `${id}-error`, className: 'calc-error', attributes: { 'aria-live': 'polite' } }));
  });
  const attributes = { 'aria-label': 'Numbers of a site' };
  return make('form', { className: 'calc-form', noValidate: true, attributes }, ...fields);
}

/** Return the texts of a form and the names of the chosen units, by input. */
function readForm(model, form) {
  const by = read => Object.fromEntries(model.inputs.map(input => [input.name, read(input)]));
  return [
    by(input => form.elements[input.name].value),
    by(input => form.elements[`${input.name}-unit`]?.value ?? input.name),
  ];
}

/** Fill a form from the parameters of an address. */
function restore(model, form, parameters) {
  model.inputs.forEach(input => unitsOf(input).filter(unit => parameters.has(unit.name)).forEach(unit => {
    const text = parameters.get(unit.name), { number } = parse(text);
    form.elements[input.name].value = Number.isInteger(number) ? count(number) : text;
    if (input.units.length) form.elements[`${input.name}-unit`].value = unit.name;
  }));
}

/** Return the address with the numbers of the form instead of those that it had. */
function addressOf(model, address, [texts, chosen]) {
  const changed = new URL(address);
  model.inputs.forEach(input => {
    unitsOf(input).forEach(unit => changed.searchParams.delete(unit.name));
    changed.searchParams.set(chosen[input.name], texts[input.name].trim().replaceAll(',', ''));
  });
  return changed.href;
}

/** Return what a bill is for: the plan with its limits, and the source of prices that are not in the price table. */
function describe(model, bill) {
  const service = model.services.find(each => each.name === bill.service);
  if (!service.page) {
    const level = model.levels.find(each => each.label === bill.plan);
    const limits = level ? `, up to ${count(level.requests)} requests and ${count(level.gigabytes)} GB` : '';
    const tasks = service.tasks ? [" Fargate's prices as of ", makeDate(model.tasks_read), '.'] : [];
    return [`CDN: ${bill.plan}${limits}.`, ...tasks];
  }
  const last = service.plans.at(-1), credits = count(Math.ceil(bill.credits));
  const page = make('a', { href: service.page }, service.page.replace(/^https:\/\/(www\.)?/, ''));
  const plan = bill.parts ? `Plan: ${bill.plan}; ${credits} credits are needed.`
    : `${credits} credits are needed; the largest plan with a price, ${last.name}, has ${count(last.credits)}.`;
  return [`${plan} Prices of `, page, ' as of ', makeDate(service.read), '.'];
}

/** Return a date that is not broken into two lines. */
function makeDate(day) {
  return make('time', { className: 'calc-date', dateTime: day }, day);
}

/** Return the amount of a part of a bill, or that the plan includes it. */
function formatPart(model, bill, part) {
  const hosted = model.services.find(each => each.name === bill.service).plans;
  const included = hosted ? ['compute', 'requests', 'storage', 'delivery'] : ['delivery'];
  const byPlan = hosted || model.levels.some(each => each.label === bill.plan);
  return byPlan && included.includes(part) && !bill.parts[part] ? 'in the plan' : format(bill.parts[part]);
}

/** Return the table of a bill, with a bar for each part; `largest` US dollars are as wide as the column. */
function showBill(model, bill, largest) {
  const id = `calc-${bill.service.replaceAll(/\W+/g, '-')}`, about = make('p', {}, ...describe(model, bill));
  const total = bill.parts ? `${format(sum(bill.parts))} USD a month` : bill.plan;
  const shown = make('section', { className: 'calc-bill', attributes: { 'aria-labelledby': id } },
    make('h3', { id }, bill.service), make('p', { className: 'calc-total' }, total));
  const makeBar = usd => make('span', { className: 'calc-track', attributes: { 'aria-hidden': 'true' } },
    make('span', { className: 'calc-bar', style: `inline-size: ${largest ? 100 * usd / largest : 0}%` }));
  const rows = () => model.parts.map(part => make('tr', {}, make('th', { scope: 'row' }, part),
    make('td', {}, makeBar(bill.parts[part]), make('span', { className: 'calc-usd' }, formatPart(model, bill, part)))));
  if (bill.parts) {
    const attributes = { 'aria-labelledby': id };
    shown.append(make('table', { className: 'calc-parts', attributes }, make('tbody', {}, ...rows())));
  }
  shown.append(about);
  return shown;
}

/** Return the table of ways to pay for the CDN, of which the cheapest is named. */
function showOffers(model, values) {
  const offers = offer(model, values), best = findCheapest(offers);
  const rows = offers.map(each => {
    const shown = row(each === best ? `${each.label} (cheapest)` : each.label,
      each.requests ? count(each.requests) : 'no limit', each.gigabytes ? count(each.gigabytes) : 'no limit',
      each.parts ? format(sum(each.parts)) : 'too small');
    shown.classList.toggle('calc-best', each === best);
    return shown;
  });
  return table(`The CDN and its misses; plans as of ${model.plans_read}`,
    ['plan', 'requests a month', 'GB a month', 'a month, USD'], rows);
}

/** Return the table of the lines of Darkroom's bill. */
function showLines(model, values) {
  const lines = evaluate(model, values);
  const total = period => lines.filter(line => line.period === period).reduce((all, line) => all + line.usd, 0);
  const amounts = ({ period, usd }) => (period === 'once' ? [format(usd), ''] : ['', format(usd)]);
  const rows = lines.map(line => row(line.label, ...amounts(line)));
  const last = row('together, pay-as-you-go', format(total('once')), format(total('month')));
  last.classList.add('calc-best');
  return table(`Prices as of ${model.read}`, ['line', 'once, USD', 'a month, USD'], [...rows, last]);
}

/** Show a message beside each wrong field. */
function showErrors(model, form, errors) {
  model.inputs.forEach(({ name }) => {
    const field = form.elements[name], message = field.form.querySelector(`#${field.id}-error`);
    field.setAttribute('aria-invalid', String(name in errors));
    if (message.textContent !== (errors[name] ?? '')) message.textContent = errors[name] ?? '';
  });
}

/** Convert the numbers of a form whose unit was changed from those of `units`, so that the bill stays. */
function convert(model, form, units, values) {
  const [, chosen] = readForm(model, form);
  model.inputs.filter(input => chosen[input.name] !== units[input.name] && input.name in values).forEach(input => {
    const { factor, shared } = unitsOf(input).find(each => each.name === chosen[input.name]);
    const number = values[input.name] / factor * (shared ? values.views : 1);
    form.elements[input.name].value = count(Number(number.toPrecision(9)));
  });
}

/** Fill the places of the page, and again after each change of a number. */
function show(model, places) {
  const form = makeForm(model), status = make('p', { className: 'calc-status', attributes: { role: 'status' } });
  restore(model, form, new URLSearchParams(location.search));
  let known = readInputs(model, ...readForm(model, form)), units = readForm(model, form)[1], later;
  const update = event => {
    if (event?.target.tagName === 'SELECT') convert(model, form, units, known.values);
    const read = readForm(model, form);
    [, units] = read;
    known = readInputs(model, ...read);
    showErrors(model, form, known.errors);
    clearTimeout(later);
    if (Object.keys(known.errors).length) {
      status.textContent = 'Correct the marked numbers to see the bills.';
      places.slice(1).forEach(place => place.replaceChildren());
      return;
    }
    if (event) history.replaceState(history.state, '', addressOf(model, location.href, read));
    const bills = listBills(model, known.values);
    const largest = Math.max(...bills.flatMap(bill => (bill.parts ? Object.values(bill.parts) : [])));
    places[1].replaceChildren(...bills.map(bill => showBill(model, bill, largest)));
    places[2].replaceChildren(showOffers(model, known.values));
    places[3].replaceChildren(showLines(model, known.values));
    const spoken = bills.map(bill => `${bill.service}: ${bill.parts ? `${format(sum(bill.parts))} USD` : bill.plan}`);
    const text = `A month with the cheapest plans. ${spoken.join('; ')}.`;
    later = setTimeout(() => { status.textContent = text; }, event ? 700 : 0);
  };
  form.addEventListener('input', update);
  form.addEventListener('submit', event => event.preventDefault());
  places[0].replaceChildren(form, status);
  update();
}

if (typeof document !== 'undefined') {
  show(MODEL, ['numbers', 'bills', 'plans', 'lines'].map(name => document.getElementById(`calculator-${name}`)));
}
