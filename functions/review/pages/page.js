// Functions shared by all pages.

/** Create an element with properties and children. */
export function make(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

export const element = id => document.getElementById(id);

/** Encode a key as a path, without a leading slash. */
export const encodeKey = text => text.split('/').map(encodeURIComponent).join('/');

/** Format a size. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1e6).toFixed(2)} MB`;
}
