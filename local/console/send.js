// The upload API from a browser's side: a token, a form for one file, the file to S3, and what became of it.

import { CONTROL } from './page.js';

const ASK_EVERY_MS = 700;
const ASK_FOR_MS = 180_000;
const RENEW_BEFORE_S = 60;

const pause = ms => new Promise(resolve => { setTimeout(resolve, ms); });

async function asked(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Error(`${new URL(url, location.href).host} does not answer`);
  }
  const document = await answer.json().catch(() => ({}));
  return { status: answer.status, ok: answer.ok, document };
}

const told = ({ status, document }) => document.detail || document.message || `The answer was ${status}`;

async function wanted(url, options) {
  const answer = await asked(url, options);
  if (!answer.ok) throw new Error(told(answer));
  return answer.document;
}

const tokens = new Map();

// A token for the folder of `key`, or for `key` alone, as this page's own server would make it for its user.
async function tokenFor(key) {
  const prefix = key.replace(/[^/]*$/, '') || key;
  const known = tokens.get(prefix);
  if (known && known.expires_s - RENEW_BEFORE_S > Date.now() / 1000) return known;
  const made = await wanted(`${CONTROL}/upload-token?prefix=${encodeURIComponent(prefix)}`);
  if (!made.api) throw new Error('This stack has no upload API');
  tokens.set(prefix, made);
  return made;
}

/** The SHA-256 of `blob` in hexadecimal. */
export async function sha256(blob) {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** A form for one file. `upload`: key, type, size, sha256. */
export async function askForForm(upload) {
  const { api, token } = await tokenFor(upload.key);
  return wanted(`${api}/uploads`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(upload),
  });
}

/** Send `blob` by a form; `progressed(share)` hears from 0 to 1. The version that S3 made of it, as far as it says. */
export function send({ url, fields }, blob, progressed) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', blob);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.upload.onprogress = event => progressed(event.lengthComputable ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status < 300) resolve(request.getResponseHeader('x-amz-version-id') || '');
      else reject(new Error(`S3 refused it: ${saidByS3(request)}`));
    };
    request.onerror = () => reject(new Error('S3 does not answer, or not to this page'));
    request.send(form);
  });
}

function saidByS3(request) {
  const said = name => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(request.responseText)?.[1];
  return said('Message') || said('Code') || request.status;
}

/**
 * Wait until the upload of `sent` (key, sha256, version) is ready, refused, or held back by what models say; null if
 * nothing is heard for minutes. `waits` is called while it is held and nobody has said yet whether it may pass.
 */
export async function fateOf(status, sent, waits) {
  const until = Date.now() + ASK_FOR_MS;
  while (Date.now() < until) {
    const { api, token } = await tokenFor(sent.key);
    const answer = await asked(api + status, { headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
    if (answer?.ok && isOf(answer.document, sent)) {
      if (isEnd(answer.document)) return answer.document;
      waits();
    }
    if (answer && !answer.ok && ![404, 429, 503].includes(answer.status)) throw new Error(told(answer));
    await pause(ASK_EVERY_MS);
  }
  return null;
}

// Until its turn comes, a key that was there before still tells of the upload before.
const isOf = (fate, sent) => ['ready', 'refused', 'held'].includes(fate.state)
  && (sent.version ? fate.version === sent.version : fate.sha256 === sent.sha256);

const isEnd = fate => fate.state !== 'held' || fate.flagged;
