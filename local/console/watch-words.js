// Figures and times in words. Pure: nothing here touches the page.

const rounded = (value, digits) => Number(value.toFixed(digits)).toString();

// Three digits are what an eye takes in; small figures keep theirs, and none is written with an exponent.
function figure(value) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-9) return value < 0 ? '−0' : '≈ 0';
  if (size < 1) return rounded(value, Math.min(12, 2 - Math.floor(Math.log10(size))));
  if (size < 1000) return rounded(value, size < 10 ? 2 : 1);
  if (size < 10_000) return Math.round(value).toLocaleString('en');
  if (size < 1e6) return `${rounded(value / 1000, 1)} k`;
  return size < 1e9 ? `${rounded(value / 1e6, 2)} M` : `${rounded(value / 1e9, 2)} G`;
}

const scaled = (value, steps) => {
  const [size, unit] = steps.find(([from]) => Math.abs(value) >= from) || steps.at(-1);
  return `${figure(value / size)} ${unit}`;
};

const SECONDS = [[86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's'], [0.001, 'ms']];
const BYTES = [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']];

const seconds = value => (value === 0 ? '0 s' : scaled(value, SECONDS));
const share = value => `${value >= 99 && value <= 100 ? rounded(value, 3) : figure(value)} %`;
// Cents are written whole, what is less than a cent as far as it says something.
function dollars(value) {
  const words = value >= 1000 ? figure(value) : value >= 1 ? value.toFixed(2) : figure(value);
  return `$${/^\d\.\d$/.test(words) ? `${words}0` : words}`;
}

const UNITS = {
  Percent: share,
  '%': share,
  Milliseconds: value => (Math.abs(value) < 1000 ? `${figure(value)} ms` : seconds(value / 1000)),
  ms: value => UNITS.Milliseconds(value),
  Microseconds: value => UNITS.Milliseconds(value / 1000),
  Seconds: seconds,
  s: seconds,
  Bytes: value => scaled(value, BYTES),
  Megabytes: value => scaled(value * 1e6, BYTES),
  MB: value => scaled(value * 1e6, BYTES),
  USD: dollars,
  $: dollars,
  'Count/Second': value => `${figure(value)}/s`,
  '1/s': value => `${figure(value)}/s`,
  'pictures/min': value => `${figure(value)}/min`,
};

/** `value` with its `unit` (CloudWatch's words, and USD); a dash where there is no value. */
export function said(value, unit = 'Count') {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return (UNITS[unit] || figure)(value);
}

/** The unit in a word where figures are written without it: CloudWatch's Count and None say nothing. */
export const unitWord = unit => (UNITS[unit] || ['Count', 'None', ''].includes(unit) ? '' : unit);

const ADDED = new Set(['Count', 'errors', 'pictures', 'requests']);

/** Whether points of this unit are added up over time; others have a latest value. */
export const adds = unit => ADDED.has(unit);

const two = number => String(number).padStart(2, '0');

/** A moment of today as 14:03:09, of another day with its date. `at_s` is unix time. */
export function moment(at_s, now_s = Date.now() / 1000) {
  const at = new Date(at_s * 1000);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date(now_s * 1000).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** A time on an axis: 14:03, or the date where ticks are days apart. */
export function tickTime(at_s, step_s) {
  const at = new Date(at_s * 1000);
  if (step_s >= 86_400) return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** How long ago something was, roughly. */
export function ago(at_s, now_s = Date.now() / 1000) {
  const past_s = Math.max(0, now_s - at_s);
  if (past_s < 10) return 'just now';
  if (past_s < 90) return `${Math.round(past_s)} s ago`;
  if (past_s < 5400) return `${Math.round(past_s / 60)} min ago`;
  return past_s < 129_600 ? `${Math.round(past_s / 3600)} h ago` : `${Math.round(past_s / 86_400)} days ago`;
}

/** A span of minutes in words. */
export const span = minutes => (minutes < 120 ? `${minutes} minutes` : minutes < 2880 ? `${minutes / 60} hours` : `${minutes / 1440} days`);
