// SVG elements. Attributes are set, never parsed.

const SVG = 'http://www.w3.org/2000/svg';

/** An SVG element with attributes and children; `textContent` is set as text. */
export function svg(tag, { textContent, ...attributes } = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  if (textContent !== undefined) made.textContent = textContent;
  made.append(...children);
  return made;
}

const DASHES = ['', '7 3', '2 3', '10 3 2 3', '4 2', '1 2'];
const COLOURS = 6;

/** The class of the colour of the series at `index`. */
export const colour = index => `s${index % COLOURS}`;

/** How the series at `index` is drawn: a colour and a dash, so that the colour does not stand alone. No two are alike. */
export function stroke(index) {
  const dash = DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length];
  return { class: `series ${colour(index)}`, 'stroke-dasharray': dash || null };
}

/** A path through points in pixels; a lone one is a dot. */
export function track(points, index) {
  if (points.length === 1) return svg('circle', { class: `dot ${colour(index)}`, cx: points[0][0], cy: points[0][1], r: 2.5 });
  return svg('path', { ...stroke(index), d: `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}` });
}
