// Axes: limits and tick marks. Pure functions.

const STEPS_S = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

const CLOCK_S = [1, 2, 5, 10, 15, 30, ...STEPS_S];

/**
 * Return the step for about `count` marks between `low` and `high`, at least `least`: 1, 2 or 5 times a power of ten.
 * For durations, `second` is the value of a second; steps are then those of a clock.
 */
export function step(low, high, { count = 4, least = 0, second = 0 } = {}) {
  const rough = Math.max((high - low) / count, least);
  if (second && rough > second) return second * (CLOCK_S.find(each => rough <= each * second) || Math.ceil(rough / second / 86_400) * 86_400);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find(each => rough <= each * power * (1 + 1e-9)));
}

/** Return marks from at or below `low` to at or above `high`; `options` are those of `step`. */
export function ticks(low, high, options = {}) {
  const each = step(low, high, options);
  const digits = Math.max(0, -Math.floor(Math.log10(each)));
  const found = [];
  for (let at = Math.floor(low / each + 1e-9); at * each < high - each * 1e-9; at += 1) found.push(at * each);
  found.push((found.length ? Math.round(found.at(-1) / each) + 1 : Math.ceil(high / each)) * each);
  return found.map(value => Number(value.toFixed(digits)));
}

const SECOND = { ms: 1000, Milliseconds: 1000, Microseconds: 1e6, s: 1, Seconds: 1 };
const SHARES = new Set(['Percent', '%']);
const WHOLE = new Set(['Count', 'messages', 'functions', 'errors', 'images']);
const FAR = 4;

/**
 * Return the marks of the value axis for `values` (at least one) of `unit`, and whether `target` is on it: a distant
 * target would flatten all series. The axis starts at 0, except for high percentages, whose differences are small.
 */
export function valueTicks(values, unit, target = null) {
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  const shown = target !== null && (SHARES.has(unit) ? highest >= 20 || target < 20 : target <= highest * FAR || highest <= 0);
  const reach = shown ? [...values, target] : values;
  const high = Math.max(...reach);
  if (SHARES.has(unit) && high <= 100 && (lowest >= 50 || high >= 20)) {
    const low = Math.min(...reach);
    return { marks: low >= 50 ? ticks(Math.min(low, 99.9), 100) : ticks(0, 100), targetShown: shown };
  }
  const low = Math.min(0, lowest);
  return { marks: ticks(low, high > low ? high : low + 1, { least: WHOLE.has(unit) ? 1 : 0, second: SECOND[unit] }), targetShown: shown };
}

/** Return marks of a time axis between two Unix times, at round local times: `{ marks, step_s }`. */
export function timeTicks(from_s, to_s, count) {
  const step_s = STEPS_S.find(each => (to_s - from_s) / each <= count) || STEPS_S.at(-1);
  const offset_s = new Date(from_s * 1000).getTimezoneOffset() * 60;
  const marks = [];
  for (let at = Math.ceil((from_s - offset_s) / step_s) * step_s + offset_s; at <= to_s; at += step_s) marks.push(at);
  return { marks, step_s };
}

/** Split points into unbroken runs: at nulls, and where several points are missing. */
export function splitRuns(points) {
  const steps = points.slice(1).map(([at], index) => at - points[index][0]).filter(gap => gap > 0);
  const usual = steps.length ? steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)] : 0;
  const found = [];
  let last = null;
  for (const [at, value] of points) {
    if (value === null) {
      last = null;
    } else {
      if (last === null || at - last > usual * 2.5) found.push([]);
      found.at(-1).push([at, value]);
      last = at;
    }
  }
  return found;
}

/** Return the point with a value nearest to a time, null if there is none within `within_s`. */
export function nearest(points, at_s, within_s) {
  let found = null;
  for (const point of points) {
    const off = Math.abs(point[0] - at_s);
    if (point[1] !== null && off <= within_s && (!found || off < Math.abs(found[0] - at_s))) found = point;
  }
  return found;
}
