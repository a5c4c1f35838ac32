// Two derivatives of one image behind a slider: original and redacted.

import { make } from './page.js';

/** Return a comparison of two images of the same size. */
export function compare(before, after) {
  const slider = make('input', { type: 'range', min: 0, max: 100, value: 50 });
  slider.setAttribute('aria-label', 'Position of the border between original and redacted');
  const line = make('span', { className: 'line' });
  const box = make('div', { className: 'compare' }, before, after, line, slider);
  after.classList.add('after');
  const show = () => box.style.setProperty('--at', `${slider.value}%`);
  slider.addEventListener('input', show);
  show();
  return make('figure', {}, box,
    make('figcaption', {}, make('span', { textContent: 'before' }), make('span', { textContent: 'redacted' })));
}
