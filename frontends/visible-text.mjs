/** Names of files and keys as they may be shown: none of their characters ends a line or turns its direction. */

// Control characters, line separators, characters that set the direction of text, and halves of surrogate pairs.
const HIDDEN = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Replace hidden characters but line feeds and tabs by escapes such as \u202e (darkroom/visible_text.py). */
export const escapeControls = text =>
    text.replace(HIDDEN, one => ('\n\t'.includes(one) ? one : `\\u${one.charCodeAt().toString(16).padStart(4, '0')}`));
