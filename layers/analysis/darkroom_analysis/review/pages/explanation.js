// Why an image is flagged: an occlusion map over the image, and the same in words.

import { make } from './page.js';

const percent = score => `${Math.round(score * 100)}\u00a0%`;

export const UNANALYSED = 'Not every frame or page was analysed.';

const ERRORS = {
  failed: 'The analysis failed repeatedly: no model has seen this image.',
  unreadable: 'No model could read this image.',
};

/** Return the labels that a model gave: without that of an image with more views than moderation analyses. */
export const modelLabels = labels => labels.filter(label => label.name !== 'unsampled');

const cellsOf = number => `${number} ${number === 1 ? 'cell' : 'cells'}`;

/** Return the map: a grid of cells, darker where covering one lowers the score more; named cells have an outline. */
export function occlusionMap({ grid, score, scores, cells }) {
  const map = make('div', { className: 'occlusion' });
  map.setAttribute('aria-hidden', 'true'); // the words say the same
  map.style.gridTemplate = `repeat(${grid}, 1fr) / repeat(${grid}, 1fr)`;
  map.append(...scores.map((covered, number) => {
    const cell = make('i', { className: cells.includes(number) ? 'named' : '' });
    cell.style.setProperty('--weight', score > 0 ? Math.max(0, Math.min(1, (score - covered) / score)).toFixed(3) : '0');
    return cell;
  }));
  return map;
}

const PLACES = [['upper', 'middle', 'lower'], ['left', 'centre', 'right']];

// Name the ninth of the image in which most of the cells are.
function place(cells, grid) {
  const [row, column] = [cell => Math.floor(cell / grid), cell => cell % grid].map(of =>
    Math.floor((cells.reduce((sum, cell) => sum + of(cell) + 0.5, 0) / cells.length / grid) * 3));
  return row === 1 && column === 1 ? 'centre' : `${PLACES[0][row]} ${PLACES[1][column]}`;
}

/** Return the explanation as sentences. `reason` is the API's: labels and explanation may be null, if unknown. */
export function describe({ labels, error, explanation }) {
  if (error) return [ERRORS[error] ?? `The analysis failed: ${error}.`];
  if (!labels) return ['No model has flagged this image: a person has, or its findings are gone.'];
  if (modelLabels(labels).length < labels.length) return [UNANALYSED];
  if (!explanation) return ['The model gave no explanation.'];
  const { grid, score, threshold, cells, covered_score: covered, view } = explanation;
  const where = view ? [`This is view ${view}: another frame, page or background than the first.`] : [];
  if (!cells.length) return [`The score is ${percent(score)}, wherever the image is covered.`, ...where];
  return [
    `Covering ${cellsOf(cells.length)} of ${grid * grid} (${place(cells, grid)}) lowers the score from ${percent(score)} to ` +
    `${percent(covered)}. Images are flagged from ${percent(threshold)} on.`,
    ...where,
  ];
}

/** Return the highest score that a model gave as text. */
export function scoreText(labels) {
  const scores = modelLabels(labels || []).map(label => label.score);
  return scores.length ? `score ${percent(Math.max(...scores))}` : 'no score';
}
