// What the stack's pages share.

export const CONTROL = '/_local';

/** An element with properties and children. */
export function make(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

export const element = id => document.getElementById(id);

/** A key as a path, without a slash before it. */
export const encodeKey = text => text.split('/').map(encodeURIComponent).join('/');

/** A size in words. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1e6).toFixed(2)} MB`;
}

/** The answer of one of the stack's own controls. */
export async function json(path, options) {
  const answer = await fetch(CONTROL + path, options);
  return answer.json();
}
