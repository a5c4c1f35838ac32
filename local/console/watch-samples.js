// Sampled inputs and outputs of the models: properties of images, with a link to the record of each, and confidences.

import { make } from './page.js';
import { chip, empty, facts, keyLink, when } from './watch-page.js';
import { formatValue } from './watch-format.js';

const MEGA = 1e6;
const share = value => formatValue(value === null || value === undefined ? undefined : 100 * value, '%');
// A finding without confidence is an embedding, or found nothing.
const output = ({ confidence, empty: nothing }) => (confidence !== null ? share(confidence) : nothing ? 'nothing' : 'found');

function row(line) {
  const { key, format, pixels, brightness, by, variant, tasks } = line.fields;
  const inputs = [['input', [format, pixels && `${formatValue(pixels / MEGA)} MP`].filter(Boolean).join(', ') || 'unknown'], ['brightness', share(brightness)]];
  const outputs = Object.entries(tasks || {}).sort().map(([task, found]) => [task, output(found)]);
  return make('li', {}, make('div', { className: 'log' }, when(line.at_s), make('span', { className: 'message' }, keyLink(key)), chip('soft', `${by}: ${variant}`)),
    facts([...inputs, ...outputs]));
}

/** Return log lines about samples, newest first. */
export function sampleList(lines) {
  if (!lines.length) return empty('No samples', 'Each process of the infer function logs one of the images that it analyses within a minute.');
  return make('ol', { className: 'rows logs samples' }, ...lines.map(row));
}
