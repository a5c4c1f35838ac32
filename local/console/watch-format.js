// Formatting of values and times. Pure functions.

export { ago, moment } from './times.js';

const rounded = (value, digits) => Number(value.toFixed(digits)).toString();

// Three digits are readable; small values keep theirs, and none is written with an exponent.
function formatNumber(value) {
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
  return `${formatNumber(value / size)} ${unit}`;
};

const SECONDS = [[86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's'], [0.001, 'ms']];
const BYTES = [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']];

const seconds = value => (value === 0 ? '0 s' : scaled(value, SECONDS));
const share = value => `${value >= 99 && value <= 100 ? rounded(value, 3) : formatNumber(value)} %`;
// Cents are written in full; smaller amounts with their significant digits.
function dollars(value) {
  const text = value >= 1000 ? formatNumber(value) : value >= 1 ? value.toFixed(2) : formatNumber(value);
  return `$${/^\d\.\d$/.test(text) ? `${text}0` : text}`;
}

const UNITS = {
  Percent: share,
  '%': share,
  Milliseconds: value => (Math.abs(value) < 1000 ? `${formatNumber(value)} ms` : seconds(value / 1000)),
  ms: value => UNITS.Milliseconds(value),
  Microseconds: value => UNITS.Milliseconds(value / 1000),
  Seconds: seconds,
  s: seconds,
  Bytes: value => scaled(value, BYTES),
  Megabytes: value => scaled(value * 1e6, BYTES),
  MB: value => scaled(value * 1e6, BYTES),
  USD: dollars,
  $: dollars,
  'Count/Second': value => `${formatNumber(value)}/s`,
  '1/s': value => `${formatNumber(value)}/s`,
  'images/min': value => `${formatNumber(value)}/min`,
};

/** Format `value` with its `unit` (CloudWatch's units, and USD); a dash for a missing value. */
export function formatValue(value, unit = 'Count') {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return (UNITS[unit] || formatNumber)(value);
}

/** Return the unit where values are formatted without it; CloudWatch's Count and None are empty. */
export const unitWord = unit => (UNITS[unit] || ['Count', 'None', ''].includes(unit) ? '' : unit);

const ADDED = new Set(['Count', 'errors', 'images', 'requests']);

/** Return whether points of this unit are added up over time; others have a latest value. */
export const adds = unit => ADDED.has(unit);

const two = number => String(number).padStart(2, '0');

/** Format a time on an axis: 14:03, or the date if ticks are days apart. */
export function tickTime(at_s, step_s) {
  const at = new Date(at_s * 1000);
  if (step_s >= 86_400) return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Format a number of minutes. */
export const span = minutes => (minutes < 120 ? `${minutes} minutes` : minutes < 2880 ? `${minutes / 60} hours` : `${minutes / 1440} days`);
