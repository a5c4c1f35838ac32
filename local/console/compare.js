// Two prints of one picture behind a slider: as it is, and with what is hidden.

import { make } from './page.js';

/** `before` and `after` are images of one size. */
export function compare(before, after) {
  const slider = make('input', { type: 'range', min: 0, max: 100, value: 50 });
  slider.setAttribute('aria-label', 'How much of the picture is shown redacted');
  const line = make('span', { className: 'line' });
  const box = make('div', { className: 'compare' }, before, after, line, slider);
  after.classList.add('after');
  const show = () => box.style.setProperty('--at', `${slider.value}%`);
  slider.addEventListener('input', show);
  show();
  return make('figure', {}, box,
    make('figcaption', {}, make('span', { textContent: 'before' }), make('span', { textContent: 'redacted' })));
}
