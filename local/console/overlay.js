// Findings drawn over the image. Positions are fractions of the upright image, as in the findings.

import { assign, make } from './page.js';

const SVG = 'http://www.w3.org/2000/svg';

function shape(name, kind, attributes) {
  const made = document.createElementNS(SVG, name);
  made.setAttribute('class', `mark ${kind}`);
  for (const [each, value] of Object.entries(attributes)) made.setAttribute(each, value);
  return made;
}

const percent = score => `${Math.round(score * 100)}`;

// Return the score of a box, outside the SVG, which is stretched with the image.
function tag(kind, [left, top], text) {
  const made = make('span', { className: `tag ${kind}`, textContent: text });
  made.style.left = `${left * 100}%`;
  made.style.top = `${top * 100}%`;
  return made;
}

const SHAPES = {
  faces: found => (found.faces || []).map(({ box: [x, y, width, height], score }) => ({
    drawn: shape('rect', 'faces', { x, y, width, height }),
    at: [x, y],
    text: percent(score),
  })),
  objects: found => (found.objects || []).map(({ class: name, box: [x, y, width, height], score }) => ({
    drawn: shape('rect', 'objects', { x, y, width, height }),
    at: [x, y],
    text: `${name} ${percent(score)}`,
  })),
  text: found => (found.lines || []).map(({ corners, text, score }) => {
    const drawn = shape('polygon', 'text', { points: corners.map(corner => corner.join()).join(' ') });
    const title = document.createElementNS(SVG, 'title');
    assign(title, { textContent: `${text} (${percent(score)})` });
    drawn.append(title);
    return { drawn };
  }),
};

/** Return `image` with the marks of `tasks` over it. `marks` are the shapes by task, in the order of the findings. */
export function overlay(image, tasks) {
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('viewBox', '0 0 1 1');
  drawing.setAttribute('preserveAspectRatio', 'none');
  drawing.setAttribute('aria-hidden', 'true');
  const marks = {};
  const tags = [];
  for (const [kind, shapes] of Object.entries(SHAPES)) {
    const made = tasks[kind] ? shapes(tasks[kind]) : [];
    marks[kind] = made.map(each => each.drawn);
    drawing.append(...marks[kind]);
    tags.push(...made.filter(each => each.at).map(each => tag(kind, each.at, each.text)));
  }
  return { element: make('div', { className: 'overlay' }, image, drawing, ...tags), marks };
}
