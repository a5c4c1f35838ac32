// The zoom page: an image in OpenSeadragon by its IIIF URL, with request counts.

import { CONTROL, json, sign } from './control.js';
import { allowedImage } from './derivative.js';
import { assign, element, encodeKey, make, moveByArrows } from './page.js';

const SCRIPT = `${CONTROL}/zoom/openseadragon.js`;

/** Encode a key as an IIIF identifier, in the one form that is served without a redirect. */
const identifier = key => encodeURIComponent(key).replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

const addressOf = key => `/iiif/3/${identifier(key)}`;

/** Show a message above the image. */
function showMessage(text, failed = false) {
  element('facts').replaceChildren(text);
  element('facts').classList.toggle('error', failed);
}

/** Load OpenSeadragon, which the stack installs at the first visit. Throws an error with the reason of a failure. */
async function loadOpenSeadragon() {
  const answer = await fetch(SCRIPT);
  if (!answer.ok) throw new Error(await answer.text());
  await new Promise((resolve, reject) => {
    document.head.append(make('script', { src: SCRIPT, onload: resolve, onerror: reject }));
  });
  return window.OpenSeadragon;
}

function viewerOf(library) {
  return library({
    element: element('view'),
    crossOriginPolicy: 'Anonymous', // as a viewer on another site would
    drawer: 'canvas',
    showNavigator: true,
    navigatorPosition: 'BOTTOM_RIGHT',
    maxZoomPixelRatio: 4,
    visibilityRatio: 0.5,
    showNavigationControl: false,
  });
}

/** Connect the buttons above the image. OpenSeadragon's own buttons are images, which would have to be downloaded. */
function connectButtons(viewer) {
  const zoom = factor => () => viewer.viewport.zoomBy(factor).applyConstraints();
  const actions = { nearer: zoom(2), farther: zoom(0.5), whole: () => viewer.viewport.goHome(), 'full-page': () => viewer.setFullScreen(true) };
  for (const [id, action] of Object.entries(actions)) element(id).addEventListener('click', action);
}

const seen = { tiles: 0, level: -1, failed: 0 };

function show() {
  element('count-tiles').textContent = seen.tiles;
  element('count-level').textContent = seen.level < 0 ? '–' : seen.level;
  element('count-failed').textContent = seen.failed;
}

function count(viewer) {
  viewer.addHandler('tile-loaded', event => {
    seen.tiles += 1;
    seen.level = Math.max(seen.level, event.tile.level);
    show();
  });
  viewer.addHandler('tile-load-failed', () => {
    seen.failed += 1;
    show();
  });
  viewer.addHandler('open', () => {
    const source = viewer.world.getItemAt(0).source;
    const levels = source.maxLevel + 1;
    const address = `${source._id}/info.json`;
    showMessage(`${source.width} × ${source.height} px in ${levels} ${levels === 1 ? 'level' : 'levels'}, ${source.profile} · `);
    element('facts').append(make('a', { href: address, textContent: 'info.json' }));
  });
  viewer.addHandler('open-failed', event => {
    showMessage(`The image cannot be opened: ${event.message}. Is IIIF on (iiif_access_mode)?`, true);
  });
}

function choose(viewer, key) {
  for (const button of element('photographs').children) {
    button.setAttribute('aria-pressed', String(button.dataset.key === key));
  }
  assign(element('photograph-name'), { textContent: key });
  Object.assign(seen, { tiles: 0, level: -1, failed: 0 });
  show();
  viewer.open(`${addressOf(key)}/info.json`);
}

async function start() {
  showMessage('Loading OpenSeadragon …');
  const [library, keys] = await Promise.all([loadOpenSeadragon(), json('/photographs')]);
  const viewer = viewerOf(library);
  Object.assign(viewer.canvas, { role: 'application', ariaLabel: 'The image: arrow keys move it, plus and minus zoom' });
  connectButtons(viewer);
  count(viewer);
  moveByArrows(element('photographs'));
  const fromHash = () => decodeURIComponent(location.hash.slice(1)) || keys[0];
  for (const key of keys) {
    const image = allowedImage(`/${encodeKey(key)}?w=320`, sign, { alt: key });
    const button = make('button', { type: 'button', title: key, onclick: () => { location.hash = encodeURIComponent(key); } }, image);
    button.dataset.key = key;
    element('photographs').append(button);
  }
  window.addEventListener('hashchange', () => choose(viewer, fromHash()));
  if (fromHash()) choose(viewer, fromHash());
  else showMessage('No image has been ingested yet.');
}

start().catch(error => showMessage(String(error.message || error), true));
