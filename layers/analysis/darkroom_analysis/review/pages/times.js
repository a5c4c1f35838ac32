// Formatting of times. Pure functions.

const two = number => String(number).padStart(2, '0');

/** Format a time of today as 14:03:09, of another day with its date. `at_s` is Unix time. */
export function moment(at_s, now_s = Date.now() / 1000) {
  const at = new Date(at_s * 1000);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date(now_s * 1000).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** Format the age of a time approximately. */
export function ago(at_s, now_s = Date.now() / 1000) {
  const past_s = Math.max(0, now_s - at_s);
  if (past_s < 10) return 'just now';
  if (past_s < 90) return `${Math.round(past_s)} s ago`;
  if (past_s < 5400) return `${Math.round(past_s / 60)} min ago`;
  return past_s < 129_600 ? `${Math.round(past_s / 3600)} h ago` : `${Math.round(past_s / 86_400)} days ago`;
}
