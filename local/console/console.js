// The start page: one image with any URL, and in the derivatives of many examples.

import { dialectOf, targetOf, targetOfKey } from './builder.js';
import { CONTROL, json, sign } from './control.js';
import { AVIF, allowedImage, fetchAllowed, isImage, render } from './derivative.js';
import { isInferenceOn, showFound } from './found.js';
import { assign, bytes, element, make, moveByArrows } from './page.js';
import { workbench } from './workbench.js';

const WEBP = 'image/webp,image/*,*/*;q=0.8';
const OLD = 'image/png,image/jpeg,*/*;q=0.5';

// Each: options, description, and the viewer's Accept header. `found` ones need findings.
const EXAMPLES = [
  { query: '', why: 'A key without options, AVIF accepted', accept: AVIF },
  { query: 'w=640', why: 'A width of the ladder, AVIF accepted', accept: AVIF },
  { query: 'w=640', why: 'The same URL, WebP accepted', accept: WEBP },
  { query: 'w=640', why: 'The same URL, neither accepted', accept: OLD },
  { query: 'preset=cover', why: 'A preset: the most salient square' },
  { query: 'preset=social', why: 'A preset for link previews' },
  { query: 'w=400&h=400&fit=cover&g=attention&radius=200&f=png', why: 'Signed: a round portrait' },
  { query: 'w=400&h=400&fit=cover&g=face', why: 'Signed: a square with the faces', found: true },
  { query: 'w=480&redact=faces', why: 'Signed: faces redacted', found: true },
  { query: 'w=480&gray=1&con=15', why: 'Signed: black and white' },
  { query: 'w=480&blur=12', why: 'Signed: blurred' },
  { query: 'w=480&wm=logo,southeast,60,20', why: 'Signed: with a watermark' },
  { query: 'w=480&h=300&fit=letterbox&bg=c2410c', why: 'Signed: letterboxed' },
  { query: 'crop=pct:25,25,50,50&w=480&rot=90', why: 'Signed: the middle, rotated' },
  { query: 'f=json', why: 'Metadata of the source' },
  { query: 'f=thumbhash', why: 'A placeholder of 30 bytes' },
];

const counts = { hits: 0 };
let key = '';
let shownExamples = EXAMPLES;
let open = null;
let dialects = {};

async function request(target, accept) {
  const result = await fetchAllowed(target, sign, accept);
  countHit(result);
  return result;
}

function countHit(result) {
  if (result.cache === 'Hit' || result.cache === 'RefreshHit') counts.hits += 1;
}

const CHIPS = { Hit: 'hit', RefreshHit: 'hit', Miss: 'miss' };
const chip = result => make('span', { className: `chip ${CHIPS[result.cache] || 'error'}`, textContent: result.cache || '?' });

// Return the stages of a render from Server-Timing: a bar and a legend.
function stages(result) {
  const header = result.answer.headers.get('server-timing');
  if (!header) return [];
  const found = header.split(',').map(part => {
    const [name, ...rest] = part.trim().split(';');
    const duration = rest.find(each => each.startsWith('dur='));
    return { name, ms: duration ? Number(duration.slice(4)) : 0 };
  }).filter(stage => stage.ms > 0);
  const bar = make('div', { className: 'stages' }, ...found.map((stage, index) => {
    const part = make('span', { title: `${stage.name} ${stage.ms} ms` });
    part.style.flex = `${stage.ms} 0 0`;
    part.style.background = `hsl(${20 + index * 47} 65% 52%)`;
    return part;
  }));
  const legend = found.map(stage => `${stage.name} ${Math.round(stage.ms)}`).join(' · ');
  const once = result.cache === 'Miss' ? '' : 'at render time: ';
  const text = make('div', { className: 'legend', textContent: `${once}${legend} ms` });
  const request = result.answer.headers.get('x-amz-cf-id');
  if (!once && request) {
    const trace = `${CONTROL}/watch#/traces?q=${encodeURIComponent(request)}`;
    text.append(' · ', make('a', { href: trace, textContent: 'trace', title: `The trace of request ${request}` }));
  }
  return [bar, text];
}

function facts(result, image) {
  const age = result.answer.headers.get('age');
  const size = image instanceof HTMLImageElement ? `${image.naturalWidth} × ${image.naturalHeight}` : '';
  const parts = [
    make('b', { textContent: bytes(result.body.size) }),
    result.type.split(';')[0].replace('application/', '').replace('image/', ''),
    size,
    `${Math.round(result.ms)} ms`,
    age === null ? '' : `age ${age} s`,
  ];
  const line = make('div', { className: 'facts' }, chip(result));
  for (const part of parts.filter(Boolean)) line.append(make('span', {}, part));
  return line;
}

const targetOfExample = ({ query }) => targetOfKey(key) + (query ? `?${query}` : '');

async function show(example, card) {
  card.classList.add('waiting');
  const result = await request(targetOfExample(example), example.accept);
  const image = await render(result);
  if (isImage(result)) assign(image, { alt: `${key}: ${example.why}` });
  card.replaceChildren(
    make('div', { className: 'frame' }, image),
    make('div', { className: 'caption' },
      make('button', { type: 'button', className: 'query', textContent: example.query || 'no options', onclick: () => openTarget(example) }),
      make('div', { className: 'why', textContent: example.why }),
      facts(result, image),
      ...stages(result)));
  card.classList.remove('waiting');
}

async function showAll() {
  const list = element('derivatives');
  if (!list.children.length) {
    list.append(...shownExamples.map(() => make('article', { className: 'derivative' }, make('div', { className: 'frame' }))));
  }
  element('again').disabled = element('restart').disabled = true;
  // A few at a time: renders share the machine's cores.
  const waiting = shownExamples.map((example, index) => [example, list.children[index]]);
  const worker = async () => {
    while (waiting.length) await show(...waiting.shift());
  };
  await Promise.all([worker(), worker(), worker()]);
  element('again').disabled = element('restart').disabled = false;
  await count();
}

async function count() {
  const calls = await json('/journal');
  element('count-hits').textContent = counts.hits;
  element('count-stored').textContent = calls.filter(call => call.kind === 's3' && call.status === 200).length;
  element('count-renders').textContent = calls.filter(call => call.kind === 'lambda' && call.status < 400).length;
}

async function describe() {
  const result = await request(`${targetOfKey(key)}?f=json`);
  if (!result.answer.ok) return;
  const found = JSON.parse(await result.body.text());
  const parts = ['format', 'width', 'height', 'frames'].filter(name => found[name]).map(name => `${name} ${found[name]}`);
  element('original').textContent = `Master: ${parts.join(', ')}.`;
}

async function openTarget(example) {
  element('workbench-title').scrollIntoView();
  await open(targetOfExample(example));
}

function name(chosen) {
  key = chosen;
  assign(element('photograph-name'), { textContent: key });
  element('original').textContent = '';
  for (const button of element('photographs').children) {
    button.setAttribute('aria-pressed', button.dataset.key === key);
  }
}

async function fill() {
  await Promise.all([describe(), showAll(), showFound(key)]);
  await count();
}

// Called for each URL, also for one that was typed.
async function select(chosen) {
  if (chosen === key) return;
  name(chosen);
  await fill();
}

async function choose(chosen, target = targetOfKey(chosen)) {
  name(chosen);
  await open(target);
  await fill();
}

// The address has the target after its hash, such as #/photo.jpg?w=640; links may name a key only.
function readAddress(address) {
  const hash = new URL(address).hash.slice(1);
  const target = hash.startsWith('/') ? targetOf(hash) : targetOfKey(decodeURIComponent(hash));
  return hash ? { target, key: dialectOf(target, dialects) ? '' : decodeURIComponent(target.split('?')[0].slice(1)) } : null;
}

// Take the address from the event: until it is handled, an earlier answer may have replaced that of the page.
async function openAddress(event) {
  const asked = readAddress(event ? event.newURL : location.href);
  if (asked && asked.key) await choose(asked.key, asked.target);
  else if (asked) await open(asked.target); // a dialect's: `select` is called once its key is known
  return asked;
}

async function start() {
  const [table, keys, found] = await Promise.all([json('/options'), json('/photographs'), isInferenceOn()]);
  shownExamples = EXAMPLES.filter(example => found || !example.found);
  open = workbench(element('builder'), table, sign, result => { countHit(result); count(); }, select);
  dialects = table.dialects;
  for (const each of keys) {
    const image = allowedImage(`${targetOfKey(each)}?preset=cover`, sign, { alt: each });
    const button = make('button', { type: 'button', title: each, onclick: () => choose(each) }, image);
    button.dataset.key = each;
    element('photographs').append(button);
  }
  moveByArrows(element('photographs'));
  element('again').onclick = showAll;
  element('restart').onclick = async () => {
    await fetch(`${CONTROL}/cdn/restart`, { method: 'POST' });
    await showAll();
  };
  window.addEventListener('hashchange', openAddress);
  if (!await openAddress() && keys.length) await choose(keys[0]);
}

start();
