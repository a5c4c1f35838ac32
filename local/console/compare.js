// Two derivatives of one image behind a slider.

import { make } from './page.js';

/** Return a comparison of two images, whose `names` stand below it. The second is stretched to the first one's size. */
export function compare(before, after, names) {
  const slider = make('input', { type: 'range', min: 0, max: 100, value: 50 });
  slider.setAttribute('aria-label', `Position of the border between ${names.join(' and ')}`);
  const line = make('span', { className: 'line' });
  const box = make('div', { className: 'compare' }, before, after, line, slider);
  after.classList.add('after');
  const show = () => box.style.setProperty('--at', `${slider.value}%`);
  slider.addEventListener('input', show);
  show();
  return make('figure', { className: 'compared' }, box, make('figcaption', {}, ...names.map(name => make('span', { textContent: name }))));
}
