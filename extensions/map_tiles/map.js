// The map page: registered rasters as layers of a Leaflet map, by their TileJSON.

import { CONTROL, json } from '/_local/console/control.js';
import { element, make } from '/_local/console/page.js';

const BASE = `${CONTROL}/map`;
const counts = { tiles: 0, failed: 0 };
let top = null;

function showMessage(text, failed = false) {
  element('facts').replaceChildren(text);
  element('facts').classList.toggle('error', failed);
}

function showCounts(map) {
  element('count-tiles').textContent = counts.tiles;
  element('count-failed').textContent = counts.failed;
  element('count-zoom').textContent = map.getZoom() ?? '–';
}

/** Load Leaflet, which the stack installs at the first visit. Throws an error with the reason of a failure. */
async function loadLeaflet() {
  const source = `${BASE}/leaflet/leaflet.js`;
  const response = await fetch(source);
  if (!response.ok) throw new Error(await response.text());
  await new Promise((resolve, reject) => {
    document.head.append(make('script', { src: source, onload: resolve, onerror: reject }));
  });
  return window.L;
}

/** Build a layer from a TileJSON document. Leaflet requests no tiles beyond its bounds, and enlarges the last zoom. */
function makeLayer(library, map, document_) {
  const [west, south, east, north] = document_.bounds;
  const layer = library.tileLayer(document_.tiles[0], {
    bounds: [[south, west], [north, east]],
    minZoom: document_.minzoom,
    maxNativeZoom: document_.maxzoom,
    maxZoom: document_.maxzoom + 3,
  });
  layer.on('tileload', () => { counts.tiles += 1; showCounts(map); });
  layer.on('tileerror', () => { counts.failed += 1; showCounts(map); });
  return layer;
}

async function addRaster(library, map, url, key, shown) {
  const document_ = await (await fetch(`${url}/tiles/${key}/tilejson.json`)).json();
  const layer = makeLayer(library, map, document_);
  const [west, south, east, north] = document_.bounds;
  const box = make('input', { type: 'checkbox', checked: shown });
  const show = () => {
    if (!box.checked) return layer.remove();
    top = layer.addTo(map).bringToFront().setOpacity(element('opacity').value / 100);
    map.fitBounds([[south, west], [north, east]]);
  };
  box.addEventListener('change', show);
  element('rasters').append(make('label', {}, box, ` ${key}`));
  if (shown) show();
}

async function start() {
  const library = await loadLeaflet();
  const map = library.map('map', { center: [0, 0], zoom: 1, attributionControl: false });
  window.map = map;
  library.control.scale().addTo(map);
  map.on('zoomend', () => showCounts(map));
  element('opacity').addEventListener('input', event => top?.setOpacity(event.target.value / 100));
  const { keys, url } = await json('/map/rasters');
  showMessage(keys.length ? '' : 'No raster is registered. extensions/map_tiles/docs/guide.md describes how to register one.');
  for (const [index, key] of keys.entries()) {
    await addRaster(library, map, url, key, index === 0);
  }
}

start().catch(error => showMessage(error.message, true));
