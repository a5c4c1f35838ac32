// The page that uploads: files chosen or dropped, a card for each, a few sent at a time.

import { fileCard } from './card.js';
import { element, json } from './page.js';
import { prepared } from './prepare.js';
import { askForForm, fateOf, send, sha256 } from './send.js';

const AT_ONCE = 3;

/** Types by ending, for files that the browser cannot name. The bytes are looked at after the upload. */
const TYPES = {
  jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp', gif: 'image/gif', avif: 'image/avif',
  heic: 'image/heic', heif: 'image/heif', tif: 'image/tiff', tiff: 'image/tiff', svg: 'image/svg+xml',
};

const extension = name => name.split('.').pop().toLowerCase();

const counts = { going: 0, ready: 0, refused: 0 };

function count(name, by) {
  counts[name] += by;
  element(`count-${name}`).textContent = counts[name];
}

// Two files of one name, as cameras make them, do not replace each other.
const taken = new Set();

function keyFor(folder, name) {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
  let key = folder + name;
  for (let number = 2; taken.has(key); number += 1) key = `${folder}${stem}-${number}${ending || ''}`;
  taken.add(key);
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

// A queue with a few at work: sending many at once makes each slow, and all of them fragile.
const waiting = [];
let working = 0;

function work() {
  while (working < AT_ONCE && waiting.length) {
    working += 1;
    waiting.shift()().finally(() => {
      working -= 1;
      work();
    });
  }
}

const inTurn = task => new Promise((resolve, reject) => {
  waiting.push(() => task().then(resolve, reject));
  work();
});

async function negative(file, wanted, card) {
  if (!wanted) return { blob: file, name: file.name, type: file.type, note: '' };
  card.tell('preparing');
  return prepared(file, wanted);
}

// The file on its way to S3: what is asked for afterwards.
async function deliver(file, { folder, prepare }, card) {
  const made = await negative(file, prepare, card);
  const upload = {
    key: card.key ||= keyFor(folder, made.name),
    type: made.type || TYPES[extension(made.name)] || 'application/octet-stream',
    size: made.blob.size,
    sha256: await sha256(made.blob),
  };
  card.describe(upload, file.size, made);
  const form = await askForForm(upload);
  card.tell('sending');
  const version = await send(form, made.blob, share => card.progress(share));
  return { ...upload, version, status: form.status };
}

async function follow(file, chosen, card, presets) {
  count('going', 1);
  let outcome = 'refused';
  try {
    const sent = await inTurn(() => deliver(file, chosen, card));
    card.tell('being looked at');
    const fate = await fateOf(sent.status, sent, () => card.tell('waiting for moderation'));
    if (!fate) throw new Error('It has arrived, but nothing was heard of it for three minutes');
    if (fate.state === 'ready') {
      outcome = 'ready';
      card.ready(fate, presets);
    } else if (fate.state === 'held') {
      card.held();
    } else {
      card.refused(fate);
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
  const take = files => {
    const chosen = settings();
    const cards = files.map(fileCard);
    element('files').prepend(...cards.map(card => card.element));
    files.forEach((file, at) => follow(file, chosen, cards[at], presets));
  };
  const choose = element('choose');
  choose.addEventListener('change', () => {
    take([...choose.files]);
    choose.value = '';
  });
  const drop = element('drop');
  // Anywhere on the page: a file dropped beside the mark would else replace the page.
  document.addEventListener('dragover', event => { event.preventDefault(); drop.classList.add('over'); });
  document.addEventListener('dragleave', event => { if (!event.relatedTarget) drop.classList.remove('over'); });
  document.addEventListener('drop', event => {
    event.preventDefault();
    drop.classList.remove('over');
    take([...event.dataTransfer.files]);
  });
  element('form').addEventListener('submit', event => event.preventDefault());
  element('quality').addEventListener('input', () => {
    element('quality-shown').textContent = element('quality').value;
  });
}

start();
