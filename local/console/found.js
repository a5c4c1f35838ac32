// What models found in a picture: over it, in words, redacted, and which other pictures are like it.

import { compare } from './compare.js';
import { overlay } from './overlay.js';
import { element, encodeKey, json, make } from './page.js';

const SHOWN = 'w=960';
const LOOK_AGAIN_MS = 1000;
const NEAR = 6;

const NAMES = { faces: 'Faces', text: 'Text', moderation: 'Moderation', tags: 'Tags', similarity: 'Similarity' };
const MAKERS = {
  endpoint: 'by the endpoint',
  fallback: 'by the small model in the function, until the endpoint answers',
  client: 'by the uploader, until the cloud has looked',
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

// The words of a text, each line lighting up its place in the picture.
function lines(found, marks) {
  const rows = found.lines.map(({ text, score }, at) => {
    const row = make('li', {}, make('span', { textContent: text }), make('i', { textContent: percent(score) }));
    row.onmouseenter = () => marks[at]?.classList.add('lit');
    row.onmouseleave = () => marks[at]?.classList.remove('lit');
    return row;
  });
  return make('ol', { className: 'lines' }, ...rows);
}

const PANELS = {
  faces: found => [make('p', { textContent: count(found.faces.length, 'face', 'faces') })],
  text: (found, marks) => {
    const words = found.lines.flatMap(line => line.text.split(/\s+/)).filter(Boolean).length;
    const said = `${count(found.lines.length, 'line', 'lines')}, ${count(words, 'word', 'words')}`;
    return [make('p', { textContent: said }), ...(found.lines.length ? [lines(found, marks)] : [])];
  },
  moderation: found => [
    make('p', {}, make('span', {
      className: `chip ${found.flagged ? 'error' : 'hit'}`, textContent: found.flagged ? 'flagged' : 'not flagged',
    })), bars(found.labels)],
  tags: found => [bars(found.labels)],
  similarity: () => [],
};

function panel(task, found, marks) {
  const maker = make('span', { className: `chip ${found.by === 'endpoint' ? 'hit' : 'miss'}`, textContent: found.by });
  maker.title = MAKERS[found.by] || '';
  const content = found.error
    ? [make('p', { className: 'reason', textContent: `The model could not read this picture (${found.error}).` })]
    : PANELS[task](found, marks || []);
  return make('article', { className: `task ${task}` },
    make('div', { className: 'head' }, make('h3', { textContent: NAMES[task] || task }), maker),
    make('div', { className: 'by', textContent: `${found.model} ${found.version}` }), ...content);
}

const pendingPanel = task => make('article', { className: `task ${task}` },
  make('div', { className: 'head' }, make('h3', { textContent: NAMES[task] || task }),
    make('span', { className: 'chip miss', textContent: 'pending' })));

async function image(target, alt) {
  const answer = await fetch(target);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || `The answer was ${answer.status}`);
  const made = make('img', { alt, src: URL.createObjectURL(await answer.blob()) });
  await made.decode();
  return made;
}

const signed = async target => (await json(`/sign?target=${encodeURIComponent(target)}`)).target;

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
    const after = await image(await signed(`${path}?${query}`), 'The same with what was found in it hidden');
    return [title, compare(before, after)];
  } catch (error) {
    return [title, make('p', { className: 'note', textContent: error.message })];
  }
}

async function near(key) {
  const folder = key.includes('/') ? `${key.split('/')[0]}/` : key;
  const { api, token } = await json(`/upload-token?prefix=${encodeURIComponent(folder)}`);
  const answer = await fetch(`${api}/_similar/${encodeKey(key)}?count=${NEAR}`, {
    headers: { Authorization: `Bearer ${token}` },
  }).catch(() => null);
  if (!answer?.ok) return [];
  const { basis, results } = await answer.json();
  if (!results.length) return [];
  const cards = results.map(found => make('li', {}, make('a', { href: `/#${encodeURIComponent(found.key)}` },
    make('img', { alt: '', loading: 'lazy', src: `/${encodeKey(found.key)}?preset=cover` }),
    ...(found.copy ? [make('span', { className: 'chip miss', textContent: 'copy' })] : []),
    make('span', { className: 'score', textContent: `${found.key} · ${found.score.toFixed(2)}` }))));
  return [make('h3', { textContent: 'Pictures most like it' }),
    make('p', { className: 'note', textContent: `By ${basis}, in ${folder}` }),
    make('ul', { className: 'near' }, ...cards)];
}

const SAID = {
  off: () => 'This stack was started with --no-inference: nobody looks at pictures, and what needs findings answers 501.',
  'no-picture': () => 'There is no such picture yet.',
  pending: told => `Nobody has looked at this picture yet. The endpoint is ${told.endpoint}; what needs findings answers 503.`,
  found: told => `Looked at on ${new Date(told.findings.analysed_at).toLocaleString()}, generation ${told.generation}.`,
};

let asked = 0;

async function show(key, told) {
  const path = `/${encodeKey(key)}`;
  const tasks = told.findings.tasks;
  const [above, before] = await Promise.all([image(`${path}?${SHOWN}`, key), image(`${path}?${SHOWN}`, 'As it is')]);
  const { element: drawn, marks } = overlay(above, tasks);
  const panels = Object.entries(tasks).map(([task, found]) => panel(task, found, marks[task]));
  const [compared, like] = await Promise.all([redaction(path, before, tasks), near(key).catch(() => [])]);
  return () => {
    element('found-picture').replaceChildren(drawn);
    element('found-tasks').replaceChildren(...panels, ...told.findings.pending.map(pendingPanel));
    element('found-redacted').replaceChildren(...compared);
    element('found-near').replaceChildren(...like);
  };
}

// Ask again while something is still to come and the picture is the chosen one.
async function follow(key, number, before) {
  const told = await json(`/findings?key=${encodeURIComponent(key)}`);
  if (number !== asked) return;
  const seen = JSON.stringify(told.findings || {});
  element('found-state').textContent = SAID[told.state](told);
  if (told.findings && seen !== before) {
    const put = await show(key, told).catch(error => () => { element('found-state').textContent = error.message; });
    if (number !== asked) return;
    put();
  }
  const tasks = Object.values(told.findings?.tasks || {});
  const more = told.state === 'pending' || told.findings?.pending.length || tasks.some(found => found.by !== 'endpoint');
  if (more) setTimeout(() => follow(key, number, seen), LOOK_AGAIN_MS);
}

/** Show what was found in the picture under `key`, and what is found later, until another is chosen. */
export async function showFound(key) {
  asked += 1;
  for (const id of ['found-picture', 'found-tasks', 'found-redacted', 'found-near']) element(id).replaceChildren();
  await follow(key, asked, '');
}

/** Whether pictures are looked at at all. */
export async function inferring() {
  return (await json('/inference')).mode !== 'off';
}
