// The start page: one photograph in many prints, and a form, made from the option table, that makes a URL.

import { formOf } from './form.js';
import { inferring, showFound } from './found.js';
import { CONTROL, bytes, element, encodeKey, json, make } from './page.js';

const AVIF = 'image/avif,image/webp,image/*,*/*;q=0.8';
const WEBP = 'image/webp,image/*,*/*;q=0.8';
const OLD = 'image/png,image/jpeg,*/*;q=0.5';

// Each: options, what they show, and what the viewer accepts. `signed` ones are outside the unsigned set, `found` ones
// are made with what models found.
const PRINTS = [
  { query: '', why: 'A bare key, for a viewer that takes AVIF', accept: AVIF },
  { query: 'w=640', why: 'A ladder width, AVIF accepted', accept: AVIF },
  { query: 'w=640', why: 'The same URL, WebP accepted', accept: WEBP },
  { query: 'w=640', why: 'The same URL, neither accepted', accept: OLD },
  { query: 'preset=cover', why: 'A preset: the most striking square' },
  { query: 'preset=social', why: 'A preset for link previews' },
  { query: 'w=400&h=400&fit=cover&g=attention&radius=200&f=png', why: 'Signed: a round portrait', signed: true },
  { query: 'w=400&h=400&fit=cover&g=face', why: 'Signed: a square that keeps the faces', signed: true, found: true },
  { query: 'w=480&redact=faces', why: 'Signed: with faces hidden', signed: true, found: true },
  { query: 'w=480&gray=1&con=15', why: 'Signed: black and white', signed: true },
  { query: 'w=480&blur=12', why: 'Signed: out of focus', signed: true },
  { query: 'w=480&wm=logo,southeast,60,20', why: 'Signed: with a watermark', signed: true },
  { query: 'w=480&h=300&fit=letterbox&bg=c2410c', why: 'Signed: letterboxed', signed: true },
  { query: 'crop=pct:25,25,50,50&w=480&rot=90', why: 'Signed: the middle, turned', signed: true },
  { query: 'f=json', why: 'Facts about the source' },
  { query: 'f=thumbhash', why: 'A placeholder of 30 bytes' },
];

const counts = { hits: 0 };
let key = '';
let shownPrints = PRINTS;

async function signed(target) {
  return json(`/sign?target=${encodeURIComponent(target)}`);
}

// One picture through the CDN, past the browser's own cache, with what it took.
async function take(target, accept) {
  const begun = performance.now();
  const answer = await fetch(target, { cache: 'no-store', headers: accept ? { Accept: accept } : {} });
  const body = await answer.blob();
  const cache = (answer.headers.get('x-cache') || '').split(' ')[0];
  if (cache === 'Hit' || cache === 'RefreshHit') counts.hits += 1;
  return { answer, body, cache, type: answer.headers.get('content-type') || '', ms: performance.now() - begun };
}

const isPicture = taken => taken.answer.ok && taken.type.startsWith('image/');

async function shown(taken) {
  if (isPicture(taken)) {
    const picture = make('img', { alt: '', src: URL.createObjectURL(taken.body) });
    await picture.decode().catch(() => {});
    return picture;
  }
  const text = await taken.body.text();
  try {
    return make('pre', { textContent: JSON.stringify(JSON.parse(text), null, 1) });
  } catch {
    return make('pre', { textContent: text });
  }
}

const CHIPS = { Hit: 'hit', RefreshHit: 'hit', Miss: 'miss' };
const chip = taken => make('span', { className: `chip ${CHIPS[taken.cache] || 'error'}`, textContent: taken.cache || '?' });

// The stages of a render, from Server-Timing: a bar, and the longest in words.
function stages(taken) {
  const said = taken.answer.headers.get('server-timing');
  if (!said) return [];
  const found = said.split(',').map(part => {
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
  const once = taken.cache === 'Miss' ? '' : 'when it was made: ';
  const words = make('div', { className: 'legend', textContent: `${once}${legend} ms` });
  const request = taken.answer.headers.get('x-amz-cf-id');
  if (!once && request) {
    const trace = `${CONTROL}/watch#/traces?q=${encodeURIComponent(request)}`;
    words.append(' · ', make('a', { href: trace, textContent: 'trace', title: `The trace of request ${request}` }));
  }
  return [bar, words];
}

function facts(taken, picture) {
  const age = taken.answer.headers.get('age');
  const size = picture instanceof HTMLImageElement ? `${picture.naturalWidth} × ${picture.naturalHeight}` : '';
  const parts = [
    make('b', { textContent: bytes(taken.body.size) }),
    taken.type.split(';')[0].replace('application/', '').replace('image/', ''),
    size,
    `${Math.round(taken.ms)} ms`,
    age === null ? '' : `age ${age} s`,
  ];
  const line = make('div', { className: 'facts' }, chip(taken));
  for (const part of parts.filter(Boolean)) line.append(make('span', {}, part));
  return line;
}

async function show(print, card) {
  card.classList.add('waiting');
  let target = `/${encodeKey(key)}${print.query ? `?${print.query}` : ''}`;
  if (print.signed) target = (await signed(target)).target;
  const taken = await take(target, print.accept);
  const picture = await shown(taken);
  if (isPicture(taken)) picture.alt = `${key}: ${print.why}`;
  card.replaceChildren(
    make('div', { className: 'frame' }, picture),
    make('div', { className: 'caption' },
      make('div', { className: 'query', textContent: print.query || 'no options' }),
      make('div', { className: 'why', textContent: print.why }),
      facts(taken, picture),
      ...stages(taken)));
  card.classList.remove('waiting');
}

async function showAll() {
  const prints = element('prints');
  if (!prints.children.length) {
    prints.append(...shownPrints.map(() => make('article', { className: 'print' }, make('div', { className: 'frame' }))));
  }
  element('again').disabled = element('restart').disabled = true;
  // A few at a time: on a laptop, renders share its processors.
  const waiting = shownPrints.map((print, index) => [print, prints.children[index]]);
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
  const taken = await take(`/${encodeKey(key)}?f=json`);
  if (!taken.answer.ok) return;
  const found = JSON.parse(await taken.body.text());
  const words = ['format', 'width', 'height', 'frames'].filter(name => found[name]).map(name => `${name} ${found[name]}`);
  element('original').textContent = `The master: ${words.join(', ')}.`;
}

async function choose(chosen) {
  key = chosen;
  element('photograph-name').textContent = key;
  element('original').textContent = '';
  for (const button of element('photographs').children) {
    button.setAttribute('aria-pressed', button.dataset.key === key);
  }
  history.replaceState(null, '', `#${encodeURIComponent(key)}`);
  await Promise.all([describe(), showAll(), maker.show(), showFound(key)]);
  await count();
}

// The form: a URL from options, signed if the guard asks for it.
const maker = {
  form: null,

  async show() {
    const plain = `/${encodeKey(key)}${this.form.query()}`;
    let target = plain;
    let taken = await take(target, AVIF);
    const refused = taken.answer.status === 403;
    if (refused) {
      const answer = await signed(plain);
      if (answer.target) taken = await take(target = answer.target, AVIF);
    }
    element('url').textContent = location.origin + target;
    element('guard').textContent = refused
      ? 'Outside the unsigned set (the edge answered 403 at no cost), so this URL is signed with the key of the stack.'
      : '';
    const picture = await shown(taken);
    if (isPicture(taken)) picture.alt = target;
    element('shown').replaceChildren(picture);
    const rows = [['status', `${taken.answer.status} ${taken.answer.statusText}`], ['time', `${Math.round(taken.ms)} ms`],
      ['size', bytes(taken.body.size)], ...taken.answer.headers];
    element('headers').replaceChildren(...rows.map(([name, value]) =>
      make('tr', {}, make('td', { textContent: name }), make('td', { textContent: value }))));
    await count();
  },
};

async function start() {
  const [table, keys, found] = await Promise.all([json('/options'), json('/photographs'), inferring()]);
  shownPrints = PRINTS.filter(print => found || !print.found);
  maker.form = formOf(element('form'), table, () => maker.show());
  for (const each of keys) {
    const picture = make('img', { alt: each, loading: 'lazy', src: `/${encodeKey(each)}?preset=cover` });
    const button = make('button', { type: 'button', title: each, onclick: () => choose(each) }, picture);
    button.dataset.key = each;
    element('photographs').append(button);
  }
  element('again').onclick = showAll;
  element('restart').onclick = async () => {
    await fetch(`${CONTROL}/cdn/restart`, { method: 'POST' });
    await showAll();
  };
  element('copy').onclick = () => navigator.clipboard.writeText(element('url').textContent);
  const wanted = () => decodeURIComponent(location.hash.slice(1));
  window.addEventListener('hashchange', () => { if (wanted() !== key) choose(wanted()); });
  if (keys.length) await choose(keys.includes(wanted()) ? wanted() : keys[0]);
}

start();
