// Why a URL has its result: what `darkroom explain` says, as a list.

import { sign } from './control.js';
import { locateCrop } from './crop.js';
import { allowedImage, isImage } from './derivative.js';
import { bytes, make } from './page.js';
import { moment } from './times.js';

const CLASSES = { 'auto-avif': 'AVIF', 'auto-webp': 'WebP', 'auto-legacy': 'neither' };

const usd = amount => `${amount < 10 ? amount.toFixed(2) : Math.round(amount)} USD`;

const clock = at => moment(Date.parse(at) / 1000);

function row(name, value, why = '') {
  if (!value) return [];
  const definition = make('dd', {}, value);
  if (why) definition.append(make('span', { className: 'reason', textContent: why }));
  return [make('dt', { textContent: name }), definition];
}

const formatName = one => [
  one.class in CLASSES ? `${CLASSES[one.class]} accepted: ` : '', one.format,
  one.quality === null ? ', lossless' : `, quality ${one.quality}`,
].join('');

const formatWhy = one => [
  one.why, one.quality === null ? '' : `quality by ${one.quality_by}`,
  one.if_drawing && `${one.if_drawing} if it is a drawing`, one.still_because && `a still: ${one.still_because}`,
].filter(Boolean).join('; ');

function makeFrame([x, y], [width, height], [across, down]) {
  const kept = make('i', { className: 'kept' });
  Object.assign(kept.style, {
    left: `${(100 * x) / across}%`, top: `${(100 * y) / down}%`, width: `${(100 * width) / across}%`, height: `${(100 * height) / down}%`,
  });
  return kept;
}

// The master with a frame around the part that a cover keeps. The place of a search is found by comparing the result.
function drawCrop(crop, masterUrl, result) {
  if (!crop.scaled || !(crop.window || isImage(result))) return [];
  const master = allowedImage(masterUrl, sign, { alt: 'The master, with a frame around the part that is kept', loading: 'eager' });
  const map = make('div', { className: 'crop-map' }, master);
  const frame = at => map.append(makeFrame(at, crop.kept, crop.scaled));
  if (crop.window) frame(crop.window);
  else master.onload = async () => {
    const at = locateCrop(master, await createImageBitmap(result.body), crop.scaled, crop.kept);
    if (at) frame(at);
    else map.remove();
  };
  return [map];
}

function describeImage({ image }, masterUrl, result) {
  const { size, formats, crop, of } = image;
  return [
    ...(size ? row('Size', `${size.width} × ${size.height} px`, `of ${of.width} × ${of.height}: ${size.why}`)
      : row('Size', formats.length && 'unknown', 'ingest has not examined this image')),
    ...formats.flatMap((one, index) => row(index ? '' : 'Format', formatName(one), formatWhy(one))),
    ...row('Crop', crop && of && `keeps ${crop.kept_percent} % of the area`, crop ? `gravity ${crop.gravity} (${crop.gravity_by}): ${crop.place}` : ''),
    ...(crop && of ? row(' ', make('span', {}, ...drawCrop(crop, masterUrl, result))) : []),
  ];
}

function describeAccess({ policy, signature }) {
  if (!policy) return [];
  const kind = { none: 'none in this URL', wrong: 'wrong' }[signature.kind] || `valid, ${signature.kind}`;
  const ends = signature.expires_at ? `, ${signature.is_expired ? 'expired' : 'valid until'} ${clock(signature.expires_at)}` : '';
  return row('Signature', policy.needs_signature ? `needed: ${kind}${ends}` : 'not needed',
    policy.is_private ? 'private image: each link needs a signature with an expiry (exp)' : `access mode ${policy.access_mode}`);
}

function describeState(found) {
  const { derivatives, master, caching, index } = found;
  const stored = derivatives.map(one => `${one.content_type}, ${bytes(one.bytes)}, ${clock(one.modified_at)}`).join('; ');
  return [
    ...row('Stored', derivatives.length ? `${derivatives.length} of this request` : 'nothing of this request', stored),
    ...row('Master', master ? `${master.content_type}, ${bytes(master.bytes)}` : 'none', master ? clock(master.modified_at) : found.source.uri),
    ...row('Upload', index && index.state, (index && index.refusal) || ''),
    ...row('CDN', caching.cached_error && `may still return ${caching.cached_error.status} ${caching.cached_error.code} until ${clock(caching.cached_error.until)}`),
    ...row('Caches', caching.cache_control, [
      caching.kept_by && `kept by ${caching.kept_by}`, caching.purges && caching.purges.waiting ? `${caching.purges.waiting} purges wait` : '',
    ].filter(Boolean).join('; ')),
  ];
}

function describeCosts({ costs }) {
  const parts = [
    costs.render_usd === null ? '' : `${usd(costs.render_usd)} if it is rendered as now, with ${costs.memory_mb} MB`,
    `${usd(costs.stored_usd)} if it is stored`,
  ];
  return row('A million misses', parts.filter(Boolean).join('; '), 'at the prices of AWS; the time is that of this machine');
}

/** Return the list for a document. `masterUrl` is an image of the whole master, `shown` what the URL returned. */
export function describeWhy(found, masterUrl, shown) {
  const problem = found.refusal;
  const result = problem ? `${problem.status} ${problem.code}` : 'served';
  return make('dl', { className: 'why-list' },
    ...row('Result', result, problem ? problem.detail : ''),
    ...row('Dialect', found.dialect, found.canonical_request ? `the same as ${found.canonical_request}` : ''),
    ...(found.image ? describeImage(found, masterUrl, shown) : []),
    ...describeAccess(found),
    ...(found.derivatives ? describeState(found) : []),
    ...(found.experiment ? row('Experiment', found.experiment.name, `by ${found.experiment.visitor}`) : []),
    ...describeCosts(found));
}
