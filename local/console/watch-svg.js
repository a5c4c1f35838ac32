// SVG elements. Attributes are set as values, never parsed.

import { assign, escapeControls } from './page.js';

const SVG = 'http://www.w3.org/2000/svg';

/** Create an SVG element with attributes and children; `textContent` is set as text. */
export function svg(tag, { textContent, ...attributes } = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  if (textContent !== undefined) assign(made, { textContent });
  made.append(...children.map(child => (typeof child === 'string' ? escapeControls(child) : child)));
  return made;
}

const DASHES = ['', '7 3', '2 3', '10 3 2 3', '4 2', '1 2'];
const COLOURS = 6;

/** Return the class of the colour of the series at `index`. */
export const colour = index => `s${index % COLOURS}`;

/** Return colour and dash pattern of the series at `index`; the combination is unique. */
export function stroke(index) {
  const dash = DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length];
  return { class: `series ${colour(index)}`, 'stroke-dasharray': dash || null };
}

/** Draw a path through points in pixels, or a dot for a single point. */
export function drawTrack(points, index) {
  if (points.length === 1) return svg('circle', { class: `dot ${colour(index)}`, cx: points[0][0], cy: points[0][1], r: 2.5 });
  return svg('path', { ...stroke(index), d: `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}` });
}
