// Findings of an image: drawn over it, listed, redacted, with similar images.

import { compare } from './compare.js';
import { overlay } from './overlay.js';
import { json, sign } from './control.js';
import { fetchAllowed } from './derivative.js';
import { UNANALYSED, modelLabels } from './explanation.js';
import { element, encodeKey, make } from './page.js';
import { moment } from './times.js';
import { cards, search, showTagged, tagChips } from './tags.js';

const SHOWN = 'w=960';
const POLL_MS = 1000;
const NEAR = 6;

const NAMES = {
  faces: 'Faces', text: 'Text', moderation: 'Moderation', tags: 'Tags', similarity: 'Similarity', likeness: 'Look-alikes',
  objects: 'Objects',
};
const NEAR_LISTS = [
  { title: 'Most similar images', query: '' },
  { title: 'Look-alikes', query: '&basis=likeness' },
];
const MAKERS = {
  endpoint: 'by the endpoint',
  fallback: 'by the small model in the function, until the endpoint responds',
  client: 'by the uploader, until the endpoint has analysed the image',
};

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
const percent = score => `${Math.round(score * 100)} %`;

function bars(labels) {
  const sorted = [...labels].sort((one, other) => other.score - one.score).slice(0, 8);
  return make('ul', { className: 'labels' }, ...sorted.map(({ name, score }) => {
    const bar = make('meter', { min: 0, max: 1, value: score });
    return make('li', {}, make('span', { textContent: name }), bar, make('span', { textContent: percent(score) }));
  }));
}

// List the lines of a text; each highlights its position in the image.
function lines(found, marks) {
  const rows = found.lines.map(({ text, score, personal }, at) => {
    const classes = (personal || []).map(name => make('span', { className: 'chip miss', textContent: name }));
    const shown = make('span', { textContent: text || '(not read)' });
    const row = make('li', {}, shown, ...classes, make('i', { textContent: percent(score) }));
    row.onmouseenter = () => marks[at]?.classList.add('lit');
    row.onmouseleave = () => marks[at]?.classList.remove('lit');
    return row;
  });
  return make('ol', { className: 'lines' }, ...rows);
}

function moderation({ flagged, labels }) {
  const scored = modelLabels(labels);
  const words = scored.length < labels.length ? [make('p', { textContent: UNANALYSED })] : [];
  const chip = make('span', { className: `chip ${flagged ? 'error' : 'hit'}`, textContent: flagged ? 'flagged' : 'not flagged' });
  return [make('p', {}, chip), ...words, bars(scored)];
}

const PANELS = {
  faces: found => [make('p', { textContent: count(found.faces.length, 'face', 'faces') })],
  text: (found, marks) => {
    const wordCount = found.lines.flatMap(line => line.text.split(/\s+/)).filter(Boolean).length;
    const summary = `${count(found.lines.length, 'line', 'lines')}, ${count(wordCount, 'word', 'words')}`;
    return [make('p', { textContent: summary }), ...(found.lines.length ? [lines(found, marks)] : [])];
  },
  moderation,
  tags: (found, marks, key) => [tagChips(found.labels, name => showTagged(element('found-tagged'), key, name))],
  similarity: () => [],
  likeness: () => [],
  objects: found => [make('p', { textContent: count(found.objects.length, 'object', 'objects') }),
    bars(found.objects.map(({ class: name, score }) => ({ name, score })))],
};

function panel(task, found, marks, key) {
  const maker = make('span', { className: `chip ${found.by === 'endpoint' ? 'hit' : 'miss'}`, textContent: found.by });
  maker.title = MAKERS[found.by] || '';
  const content = found.error
    ? [make('p', { className: 'reason', textContent: `The model could not decode this image (${found.error}).` })]
    : PANELS[task](found, marks || [], key);
  return make('article', { className: `task ${task}` },
    make('div', { className: 'head' }, make('h3', { textContent: NAMES[task] || task }), maker),
    make('div', { className: 'by', textContent: `${found.model} ${found.version}` }), ...content);
}

const pendingPanel = task => make('article', { className: `task ${task}` },
  make('div', { className: 'head' }, make('h3', { textContent: NAMES[task] || task }),
    make('span', { className: 'chip miss', textContent: 'pending' })));

async function image(target, alt) {
  const { answer, body } = await fetchAllowed(target, sign);
  if (!answer.ok) throw new Error((await body.text().then(JSON.parse).catch(() => ({}))).detail || `The response was ${answer.status}`);
  const made = make('img', { alt, src: URL.createObjectURL(body) });
  await made.decode();
  return made;
}

function hideable(tasks) {
  const faces = Boolean(tasks.faces?.faces?.length);
  const text = Boolean(tasks.text?.lines?.length);
  return faces && text ? 'all' : faces ? 'faces' : text ? 'text' : '';
}

async function redaction(path, before, tasks) {
  const what = hideable(tasks);
  if (!what) return [];
  const query = `${SHOWN}&redact=${what}`;
  const title = make('h3', {}, 'Before and after ', make('code', { textContent: `redact=${what}` }));
  try {
    const after = await image(`${path}?${query}`, 'The redacted image');
    return [title, compare(before, after, ['before', 'redacted'])];
  } catch (error) {
    return [title, make('p', { className: 'note', textContent: error.message })];
  }
}

async function near(key, { title, query }) {
  const found = await search(key, `/_similar/${encodeKey(key)}?count=${NEAR}${query}`);
  if (!found?.results.length) return [];
  return [make('h3', { textContent: title }),
    make('p', { className: 'note', textContent: `By ${found.basis}, in ${found.folder}` }), cards(found.results)];
}

const nearLists = key => Promise.all(NEAR_LISTS.map(list => near(key, list).catch(() => []))).then(lists => lists.flat());

const STATE_TEXTS = {
  off: () => 'Inference is off (--no-inference). Requests that need findings are answered with 501.',
  'no-picture': () => 'The image does not exist yet.',
  pending: data => `Not analysed yet. Endpoint: ${data.endpoint}. Requests that need findings are answered with 503.`,
  found: data => `Analysed on ${moment(Date.parse(data.findings.analysed_at) / 1000)}, generation ${data.generation}.`,
};

let requestNumber = 0;

async function show(key, data) {
  const path = `/${encodeKey(key)}`;
  const tasks = data.findings.tasks;
  const [above, before] = await Promise.all([image(`${path}?${SHOWN}`, key), image(`${path}?${SHOWN}`, 'The original image')]);
  const { element: drawn, marks } = overlay(above, tasks);
  const panels = Object.entries(tasks).map(([task, found]) => panel(task, found, marks[task], key));
  const [compared, like] = await Promise.all([redaction(path, before, tasks), nearLists(key)]);
  return () => {
    element('found-picture').replaceChildren(drawn);
    element('found-tasks').replaceChildren(...panels, ...data.findings.pending.map(pendingPanel));
    element('found-redacted').replaceChildren(...compared);
    element('found-near').replaceChildren(...like);
  };
}

// Poll while findings are pending and the image is selected.
async function follow(key, number, before) {
  const data = await json(`/findings?key=${encodeURIComponent(key)}`);
  if (number !== requestNumber) return;
  const seen = JSON.stringify(data.findings || {});
  element('found-state').textContent = STATE_TEXTS[data.state](data);
  if (data.findings && seen !== before) {
    const put = await show(key, data).catch(error => () => { element('found-state').textContent = error.message; });
    if (number !== requestNumber) return;
    put();
  }
  const tasks = Object.values(data.findings?.tasks || {});
  const more = data.state === 'pending' || data.findings?.pending.length || tasks.some(found => found.by !== 'endpoint');
  if (more) setTimeout(() => follow(key, number, seen), POLL_MS);
}

/** Show the findings of the image `key`, and later ones, until another image is selected. */
export async function showFound(key) {
  requestNumber += 1;
  for (const id of ['picture', 'tasks', 'tagged', 'redacted', 'near']) element(`found-${id}`).replaceChildren();
  await follow(key, requestNumber, '');
}

/** Return whether inference is on. */
export async function isInferenceOn() {
  return (await json('/inference')).mode !== 'off';
}
