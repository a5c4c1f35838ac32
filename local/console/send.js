// Client of the upload API: a token, a presigned POST for one file, the upload to S3, and its state.

import { CONTROL } from './control.js';

const POLL_MS = 700;
const TIMEOUT_MS = 180_000;
const RENEW_BEFORE_S = 60;

const pause = ms => new Promise(resolve => { setTimeout(resolve, ms); });

async function request(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Error(`${new URL(url, location.href).host} does not respond`);
  }
  const document = await answer.json().catch(() => ({}));
  return { status: answer.status, ok: answer.ok, document };
}

const errorMessage = ({ status, document }) => document.detail || document.message || `The response was ${status}`;

async function requestDocument(url, options) {
  const answer = await request(url, options);
  if (!answer.ok) throw new Error(errorMessage(answer));
  return answer.document;
}

const tokens = new Map();

// Get a token for the folder of `key`, or for `key` alone. The page's server issues it for the local user.
async function tokenFor(key) {
  const prefix = key.replace(/[^/]*$/, '') || key;
  const known = tokens.get(prefix);
  if (known && known.expires_s - RENEW_BEFORE_S > Date.now() / 1000) return known;
  const issued = await requestDocument(`${CONTROL}/upload-token?prefix=${encodeURIComponent(prefix)}`);
  if (!issued.api) throw new Error('This stack has no upload API');
  tokens.set(prefix, issued);
  return issued;
}

/** Return the SHA-256 of `blob` in hexadecimal. */
export async function sha256(blob) {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Request a presigned POST for one file. `upload`: key, type, size, sha256. */
export async function requestForm(upload) {
  const { api, token } = await tokenFor(upload.key);
  return requestDocument(`${api}/uploads`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(upload),
  });
}

/** Send `blob` with a presigned POST, reporting progress from 0 to 1. Return the version id, if S3 returns it. */
export function send({ url, fields }, blob, report) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', blob);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.upload.onprogress = event => report(event.lengthComputable ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status < 300) resolve(request.getResponseHeader('x-amz-version-id') || '');
      else reject(new Error(`S3 rejected it: ${errorOfS3(request)}`));
    };
    request.onerror = () => reject(new Error('S3 does not respond, or not to this page'));
    request.send(form);
  });
}

function errorOfS3(request) {
  const field = name => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(request.responseText)?.[1];
  return field('Message') || field('Code') || request.status;
}

/**
 * Wait until the upload of `sent` (key, sha256, version) is ready, rejected, or held by moderation; null after a
 * timeout. `onHeld` is called while it is held without a verdict.
 */
export async function waitForResult(status, sent, onHeld) {
  const until = Date.now() + TIMEOUT_MS;
  while (Date.now() < until) {
    const { api, token } = await tokenFor(sent.key);
    const answer = await request(api + status, { headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
    if (answer?.ok && isOf(answer.document, sent)) {
      if (isEnd(answer.document)) return answer.document;
      onHeld();
    }
    if (answer && !answer.ok && ![404, 429, 503].includes(answer.status)) throw new Error(errorMessage(answer));
    await pause(POLL_MS);
  }
  return null;
}

// Until it is processed, the state of an existing key is that of the previous upload.
const isOf = (state, sent) => ['ready', 'refused', 'held'].includes(state.state)
  && (sent.version ? state.version === sent.version : state.sha256 === sent.sha256);

const isEnd = state => state.state !== 'held' || state.flagged;
