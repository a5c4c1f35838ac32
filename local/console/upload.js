// The upload page: files are chosen or dropped, each has a card, and a few are sent at a time.

import { fileCard } from './card.js';
import { json } from './control.js';
import { element } from './page.js';
import { prepare as prepareImage } from './prepare.js';
import { requestForm, waitForResult, send, sha256 } from './send.js';

const CONCURRENCY = 3;

/** Types by extension, for files whose type the browser does not know. Ingest checks the bytes. */
const mediaTypes = json('/media-types');

const extension = name => name.split('.').pop().toLowerCase();

const counts = { going: 0, ready: 0, refused: 0 };

function count(name, by) {
  counts[name] += by;
  element(`count-${name}`).textContent = counts[name];
}

// Two files of one name, as from cameras, must not replace each other.
const usedKeys = new Set();

function keyFor(folder, name) {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
  let key = folder + name;
  for (let number = 2; usedKeys.has(key); number += 1) key = `${folder}${stem}-${number}${ending || ''}`;
  usedKeys.add(key);
  return key;
}

function settings() {
  const folder = element('folder').value.trim().replace(/^\/+|\/+$/g, '');
  return {
    folder: folder && `${folder}/`,
    prepare: element('prepare').checked && {
      longest: Number(element('longest').value),
      type: element('type').value,
      quality: Number(element('quality').value) / 100,
    },
  };
}

// A queue with a few concurrent uploads: many at once would each be slow and likely to fail.
const queue = [];
let running = 0;

function startNext() {
  while (running < CONCURRENCY && queue.length) {
    running += 1;
    queue.shift()().finally(() => {
      running -= 1;
      startNext();
    });
  }
}

const enqueue = task => new Promise((resolve, reject) => {
  queue.push(() => task().then(resolve, reject));
  startNext();
});

async function prepareFile(file, options, card) {
  if (!options) return { blob: file, name: file.name, type: file.type, note: '' };
  card.showState('preparing');
  return prepareImage(file, options);
}

// Send the file to S3; return what identifies the upload.
async function deliver(file, { folder, prepare }, card) {
  const made = await prepareFile(file, prepare, card);
  const upload = {
    key: card.key ||= keyFor(folder, made.name),
    type: made.type || (await mediaTypes)[extension(made.name)] || 'application/octet-stream',
    size: made.blob.size,
    sha256: await sha256(made.blob),
  };
  card.describe(upload, file.size, made);
  const form = await requestForm(upload);
  card.showState('sending');
  const version = await send(form, made.blob, share => card.progress(share));
  return { ...upload, version, status: form.status };
}

async function follow(file, chosen, card, presets) {
  count('going', 1);
  let outcome = 'refused';
  try {
    const sent = await enqueue(() => deliver(file, chosen, card));
    card.showState('processing');
    const result = await waitForResult(sent.status, sent, () => card.showState('waiting for moderation'));
    if (!result) throw new Error('The upload arrived, but was not processed within three minutes');
    if (result.state === 'ready') {
      outcome = 'ready';
      card.ready(result, presets);
    } else if (result.state === 'held') {
      card.held();
    } else {
      card.refused(result);
    }
  } catch (error) {
    card.failed(error.message, () => {
      count('refused', -1);
      follow(file, chosen, card, presets);
    });
  }
  count('going', -1);
  count(outcome, 1);
}

async function start() {
  const presets = json('/options').then(table => table.at_ingest);
  const addFiles = files => {
    const chosen = settings();
    const cards = files.map(fileCard);
    element('files').prepend(...cards.map(card => card.element));
    files.forEach((file, at) => follow(file, chosen, cards[at], presets));
  };
  const choose = element('choose');
  mediaTypes.then(types => {
    choose.accept = ['image/*', ...Object.keys(types).map(name => `.${name}`)].join();
  });
  choose.addEventListener('change', () => {
    addFiles([...choose.files]);
    choose.value = '';
  });
  const drop = element('drop');
  // Accept drops anywhere: a file dropped elsewhere would replace the page.
  document.addEventListener('dragover', event => { event.preventDefault(); drop.classList.add('over'); });
  document.addEventListener('dragleave', event => { if (!event.relatedTarget) drop.classList.remove('over'); });
  document.addEventListener('drop', event => {
    event.preventDefault();
    drop.classList.remove('over');
    addFiles([...event.dataTransfer.files]);
  });
  element('form').addEventListener('submit', event => event.preventDefault());
  element('quality').addEventListener('input', () => {
    element('quality-shown').textContent = element('quality').value;
  });
}

start();
