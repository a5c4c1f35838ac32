// A form from the option table: one input for each option, and the resulting query string.

import { make } from './page.js';

// The empty choice is the default, which is omitted from the URL.
const choices = (values, usual = '') =>
  make('select', {}, make('option', { value: '', textContent: usual }), ...values.map(word =>
    make('option', { value: word, textContent: word })));

const number = (rule, step) =>
  make('input', { type: 'number', min: rule.low, max: rule.high, step, placeholder: `${rule.low} to ${rule.high}` });

const text = option => make('input', { type: 'text', spellcheck: false, placeholder: shortened(option.expects) });

const shortened = words => (words.length > 30 ? `${words.slice(0, 29)}…` : words);

const one = input => ({ parts: [input], value: () => input.value });

// By the name of the option type; each returns its inputs and its value.
const WIDGETS = {
  whole: option => one(option.rule.word ? text(option) : number(option.rule, 1)),
  fixed: option => one(number(option.rule, option.rule.step)),
  flag: option => one(choices(['0', '1'], option.default ? '1' : '0')),
  choice: option => one(choices(option.rule.words, option.default)),
  wholeChoice: option => one(choices(option.rule.words, option.default)),
  gravity(option) {
    const place = choices([...option.rule.words, 'fp'], option.rule.words[0]);
    const [x, y] = [0, 1].map(() => make('input', { type: 'number', min: 0, max: 1, step: 0.01, value: 0.5, hidden: true }));
    place.addEventListener('change', () => { x.hidden = y.hidden = place.value !== 'fp'; });
    return { parts: [place, x, y], value: () => (place.value === 'fp' ? `fp:${x.value}:${y.value}` : place.value) };
  },
  watermark(option, table) {
    const name = choices(table.watermarks);
    const place = choices(option.rule.words, option.rule.position);
    place.hidden = true;
    name.addEventListener('change', () => { place.hidden = !name.value; });
    return { parts: [name, place], value: () => (name.value && place.value ? `${name.value},${place.value}` : name.value) };
  },
  word: (option, table) => one(option.short === 'preset' ? choices(table.presets) : text(option)),
};

// Encode for a query, but leave the separators of option values readable.
const encode = value => encodeURIComponent(value).replace(/%2C/g, ',').replace(/%3A/g, ':');

/** Fill `form` and call `changed` after each change. `query()` returns the query string with its question mark. */
export function buildForm(form, table, changed) {
  const widgets = table.options.map(option => {
    const widget = (WIDGETS[option.kind] || (each => one(text(each))))(option, table);
    const name = make('span', {}, make('code', { textContent: option.short }), option.long === option.short ? '' : ` ${option.long}`);
    const inputs = make('div', { className: 'several' }, ...widget.parts);
    form.append(make('label', { title: `${option.doc} Expects ${option.expects}.` }, name, inputs));
    return { short: option.short, ...widget };
  });
  const clear = make('button', { type: 'reset', className: 'quiet', textContent: 'Clear' });
  form.append(make('div', { className: 'buttons' }, clear));

  const mark = () => {
    for (const { parts } of widgets) for (const input of parts) input.classList.toggle('set', Boolean(input.value));
  };
  form.addEventListener('change', () => { mark(); changed(); });
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(() => { mark(); changed(); }));

  return {
    query() {
      const pairs = widgets.map(({ short, value }) => [short, value()]).filter(([, value]) => value !== '');
      return pairs.length ? `?${pairs.map(([short, value]) => `${short}=${encode(value)}`).join('&')}` : '';
    },
  };
}
