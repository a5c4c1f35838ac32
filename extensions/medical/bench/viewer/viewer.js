// A CT slice in Cornerstone3D by WADO-RS, beside the same window rendered by Darkroom.

import { Enums, RenderingEngine, init as initCore, metaData } from '@cornerstonejs/core';
import { init as initLoader, wadors } from '@cornerstonejs/dicom-image-loader';

const { base, token, series, instance, frame, presets } = window.study;
const headers = { authorization: `Bearer ${token}` };
const resource = `${base}/studies/${window.study.study}/series/${series}/instances/${instance}`;
const element = (id) => document.getElementById(id);

async function fetchMetadata() {
  const response = await fetch(`${resource}/metadata`, { headers });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json())[0];
}

async function openViewport() {
  await initCore();
  initLoader({ maxWebWorkers: 1, beforeSend: () => headers });
  const imageId = `wadors:${resource}/frames/${frame}`;
  wadors.metaDataManager.add(imageId, await fetchMetadata());
  const engine = new RenderingEngine('engine');
  engine.enableElement({ viewportId: 'slice', type: Enums.ViewportType.STACK, element: element('cornerstone') });
  const viewport = engine.getViewport('slice');
  await viewport.setStack([imageId]);
  window.modality = metaData.get('modalityLutModule', imageId);
  return viewport;
}

let latest = 0;

/** Draw the image that the server renders, unless another one was requested meanwhile; return whether it was drawn. */
async function drawRendered(center, width) {
  const number = ++latest;
  const response = await fetch(`${resource}/frames/${frame}/rendered?window=${center},${width}&viewport=440,440`, {
    headers: { ...headers, accept: 'image/png' },
  });
  if (!response.ok) throw new Error(await response.text());
  const bitmap = await createImageBitmap(await response.blob());
  if (number !== latest) return false;
  const canvas = element('rendered');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  return true;
}

async function applyWindow(viewport) {
  const [center, width] = [Number(element('center').value), Number(element('width').value)];
  element('values').textContent = `center ${center} HU, width ${width} HU`;
  viewport.setProperties({ voiRange: { lower: center - width / 2, upper: center + width / 2 } });
  viewport.render();
  if (await drawRendered(center, width)) window.applied = `${center},${width}`;
}

/** Return the grey level at a share of the width and height of the image, in both canvases. */
window.levels = (x, y) => {
  const rendered = element('rendered');
  const level = (canvas, left, top) => canvas.getContext('2d').getImageData(left, top, 1, 1).data[0];
  const shown = element('cornerstone').querySelector('canvas');
  return [
    level(shown, Math.floor(shown.width * x), Math.floor(shown.height * y)),
    level(rendered, Math.floor(rendered.width * x), Math.floor(rendered.height * y)),
  ];
};

async function start() {
  const viewport = await openViewport();
  for (const [name, center, width] of presets) {
    const button = document.createElement('button');
    button.textContent = name;
    button.onclick = () => {
      element('center').value = center;
      element('width').value = width;
      applyWindow(viewport);
    };
    element('presets').append(button);
  }
  for (const id of ['center', 'width']) element(id).oninput = () => applyWindow(viewport);
  await applyWindow(viewport);
}

start().catch((error) => {
  window.failed = String(error.stack ?? error);
});
