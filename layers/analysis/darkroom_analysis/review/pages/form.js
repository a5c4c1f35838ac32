// A form from the option table: the usual options first, the others by what they change; and the query string.

import { make } from './page.js';

const FIRST = ['w', 'h', 'f'];

// By the effect of an option.
const GROUPS = {
  none: 'Fit, crop position, quality, metadata',
  resize: 'Margins and size',
  crop: 'Crop and corners',
  orient: 'Rotate and mirror',
  colour: 'Colours',
  filter: 'Sharpness and blur',
  edit: 'Background, watermarks, redaction',
};

// The empty choice is the default, which is omitted from the URL.
const choices = (values, usual = '') =>
  make('select', {}, make('option', { value: '', textContent: usual }), ...values.map(word =>
    make('option', { value: word, textContent: word })));

const number = (rule, step) =>
  make('input', { type: 'number', min: rule.low, max: rule.high, step, placeholder: `${rule.low} to ${rule.high}` });

const text = option => make('input', { type: 'text', spellcheck: false, placeholder: shortened(option.expects) });

const shortened = words => (words.length > 30 ? `${words.slice(0, 29)}…` : words);

const one = input => ({ parts: [input], value: () => input.value, set: value => { input.value = value; } });

// By the name of the option type; each returns its inputs, its value, and how to set it.
const WIDGETS = {
  whole: option => one(option.rule.word ? text(option) : number(option.rule, 1)),
  fixed: option => one(number(option.rule, option.rule.step)),
  flag: option => one(choices(['0', '1'], option.default ? '1' : '0')),
  choice: option => one(choices(option.rule.words, option.default)),
  wholeChoice: option => one(choices(option.rule.words, option.default)),
  gravity(option) {
    const place = choices([...option.rule.words, 'fp'], option.rule.words[0]);
    const [x, y] = [0, 1].map(() => make('input', { type: 'number', min: 0, max: 1, step: 0.01, value: 0.5, hidden: true }));
    const showPoint = () => { x.hidden = y.hidden = place.value !== 'fp'; };
    place.addEventListener('input', showPoint);
    return {
      parts: [place, x, y],
      value: () => (place.value === 'fp' ? `fp:${x.value}:${y.value}` : place.value),
      set(value) {
        [place.value, x.value, y.value] = value.startsWith('fp:') ? value.split(':') : [value, 0.5, 0.5];
        showPoint();
      },
    };
  },
  watermark(option, table) {
    const name = choices(table.watermarks);
    const place = choices(option.rule.words, option.rule.position);
    const showPlace = () => { place.hidden = !name.value; };
    showPlace();
    name.addEventListener('input', showPlace);
    return {
      parts: [name, place],
      value: () => (name.value && place.value ? `${name.value},${place.value}` : name.value),
      set(value) {
        [name.value, place.value] = [...value.split(','), ''];
        showPlace();
      },
    };
  },
  word: (option, table) => one(option.short === 'preset' ? choices(table.presets) : text(option)),
};

// Encode for a query, but leave the separators of option values readable.
const encode = value => encodeURIComponent(value).replace(/%2C/g, ',').replace(/%3A/g, ':');

const decode = value => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // not UTF-8: it is shown as it is
  }
};

/** Return the options of a query as pairs of short names and values. A signature and its expiry are left out. */
export function parseQuery(query, table) {
  const names = new Map(table.options.map(({ short, long }) => [long, short]));
  const pairs = query.replace(/^\?/, '').split('&').filter(Boolean).map(pair => {
    const [name, ...rest] = pair.split('=');
    return [names.get(name) || name, decode(rest.join('='))];
  });
  return new Map(pairs.filter(([name]) => !['s', 'exp', 'signature', 'expires'].includes(name)));
}

/** Fill `form` and call `changed` at each change. `query()` returns the query string with its question mark. */
export function buildForm(form, table, changed) {
  let values = new Map();
  const widgets = new Map();

  const build = option => {
    const widget = (WIDGETS[option.kind] || (each => one(text(each))))(option, table);
    const name = make('span', {}, make('code', { textContent: option.short }), option.long === option.short ? '' : ` ${option.long}`);
    const label = make('label', { title: `${option.doc} Expects ${option.expects}.` }, name, make('div', { className: 'several' }, ...widget.parts));
    label.addEventListener('input', () => {
      if (widget.value()) values.set(option.short, widget.value());
      else values.delete(option.short);
      mark();
      changed();
    });
    widgets.set(option.short, { ...widget, label, words: `${option.short} ${option.long} ${option.doc}`.toLowerCase() });
    return label;
  };
  const groups = Object.entries(GROUPS).map(([effect, title]) => {
    const own = table.options.filter(option => option.effect === effect && !FIRST.includes(option.short));
    const set = make('span', { className: 'set-count' });
    return { set, own, element: make('details', { hidden: !own.length }, make('summary', {}, title, set), make('div', { className: 'options' }, ...own.map(build))) };
  });
  const find = make('input', { type: 'search', placeholder: 'blur, crop, watermark…', spellcheck: false });
  find.addEventListener('input', event => {
    event.stopPropagation();
    const words = find.value.trim().toLowerCase();
    for (const group of groups) {
      for (const option of group.own) widgets.get(option.short).label.hidden = !widgets.get(option.short).words.includes(words);
      const matches = group.own.some(option => !widgets.get(option.short).label.hidden);
      group.element.hidden = !matches;
      group.element.open = Boolean(words) && matches;
    }
  });
  form.append(
    make('div', { className: 'options first' }, ...table.options.filter(option => FIRST.includes(option.short)).map(build)),
    make('label', { className: 'find' }, make('span', { textContent: 'Find an option' }), find),
    ...groups.map(group => group.element),
    make('div', { className: 'buttons' }, make('button', { type: 'reset', className: 'quiet', textContent: 'Clear the options' })));

  const mark = () => {
    for (const [short, { parts }] of widgets) for (const input of parts) input.classList.toggle('set', values.has(short));
    for (const { own, set } of groups) {
      const count = own.filter(option => values.has(option.short)).length;
      set.textContent = count ? ` · ${count} set` : '';
    }
  };
  const fill = query => {
    values = parseQuery(query, table);
    for (const [short, widget] of widgets) widget.set(values.get(short) || '');
    mark();
  };
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(() => { fill(''); changed(); }));

  return {
    fill,
    query: () => (values.size ? `?${[...values].map(([short, value]) => `${short}=${encode(value)}`).join('&')}` : ''),
  };
}
