// A map of MapLibre GL with one raster source, whose TileJSON is at the address of the query.
import { Map } from 'maplibre-gl';

const query = new URLSearchParams(location.search);
const failures = [];
const map = new Map({
    container: 'place',
    style: {
        version: 8,
        sources: { raster: { type: 'raster', url: query.get('url'), tileSize: 256 } },
        layers: [
            { id: 'ground', type: 'background', paint: { 'background-color': '#ff00ff' } },
            { id: 'raster', type: 'raster', source: 'raster', paint: { 'raster-fade-duration': 0 } },
        ],
    },
    center: [-122.34, 37.77],
    zoom: 9,
    fadeDuration: 0,
    attributionControl: false,
    canvasContextAttributes: { preserveDrawingBuffer: true },
    // A header of its own, as of pages with an account: browsers ask for permission before each request.
    transformRequest: url => ({ url, headers: query.has('header') ? { 'X-Requested-With': 'maplibre' } : {} }),
});
map.on('error', ({ error }) => failures.push(String(error?.message ?? error)));
window.map = map;
map.once('idle', () => {
    const { tiles, minzoom, maxzoom, bounds } = map.getSource('raster');
    window.shown = { tiles, minzoom, maxzoom, bounds, failures };
});

/** Return the colour of a point in px from the top left of the map. */
window.pixel = (x, y) => {
    const gl = map.getCanvas().getContext('webgl2');
    const found = new Uint8Array(4);
    gl.readPixels(x, map.getCanvas().height - y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, found);
    return [...found];
};
