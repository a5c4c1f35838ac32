// Functions shared by all pages.

// Control characters, line separators, characters that set the direction of text, and halves of surrogate pairs.
const HIDDEN = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SHOWN = ['textContent', 'title', 'alt', 'ariaLabel'];

/** Replace hidden characters but line feeds and tabs by escapes such as \u202e (darkroom/visible_text.py). */
export const escapeControls = text => String(text).replace(HIDDEN, one => ('\n\t'.includes(one) ? one : `\\u${one.charCodeAt().toString(16).padStart(4, '0')}`));

/** Set properties of an element; what is shown has no hidden characters. */
export function assign(made, attributes) {
  const shown = SHOWN.filter(name => typeof attributes[name] === 'string').map(name => [name, escapeControls(attributes[name])]);
  return Object.assign(made, attributes, Object.fromEntries(shown));
}

/** Create an element with properties and children. */
export function make(tag, attributes = {}, ...children) {
  const made = assign(document.createElement(tag), attributes);
  made.append(...children.map(child => (typeof child === 'string' ? escapeControls(child) : child)));
  return made;
}

/** Let the arrow keys move in a row of buttons, so that Tab leaves it after one of them. */
export function moveByArrows(row) {
  row.addEventListener('focusin', ({ target }) => { for (const one of row.children) one.tabIndex = one === target ? 0 : -1; });
  row.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...row.children];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    buttons.at((at + step) % buttons.length).focus();
  });
}

export const element = id => document.getElementById(id);

/** Encode a key as a path, without a leading slash. */
export const encodeKey = text => text.split('/').map(encodeURIComponent).join('/');

/** Format a size. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1e6).toFixed(2)} MB`;
}
