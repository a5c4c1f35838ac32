// Preparation on this device before an upload: rotate an image upright, resize and re-encode it, which removes all
// metadata. Files that cannot be decoded, or would lose content, are sent unchanged.

const HEAD_BYTES = 65_536;

/** Signatures of animated images, near the start of a file. Re-encoding them would leave one frame. */
const ANIMATION_MARKS = { 'image/png': 'acTL', 'image/webp': 'ANIM', 'image/avif': 'avis' };

async function findObstacle(file) {
  if (file.type === 'image/gif') return 'a GIF may be animated';
  if (file.type === 'image/svg+xml') return 'an SVG has no pixels';
  const mark = ANIMATION_MARKS[file.type];
  if (!mark) return '';
  const head = new TextDecoder('latin1').decode(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return head.includes(mark) ? 'it is animated' : '';
}

const decode = file => createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null);

async function resize(bitmap, longest) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  if (scale === 1) return bitmap;
  const [width, height] = [bitmap.width, bitmap.height].map(side => Math.max(1, Math.round(side * scale)));
  return createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
}

function toCanvas(bitmap, width = bitmap.width, height = bitmap.height) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d').drawImage(bitmap, 0, 0, width, height);
  return canvas;
}

// Checked on a small copy: a transparent area is partly transparent there too.
function isTransparent(bitmap) {
  const side = 64;
  const pixels = toCanvas(bitmap, side, side).getContext('2d').getImageData(0, 0, side, side).data;
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] < 255) return true;
  return false;
}

const encode = (canvas, type, quality) => new Promise(resolve => { canvas.toBlob(resolve, type, quality); });

const EXTENSIONS = { 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/png': 'png' };

const rename = (name, type) => `${name.replace(/\.[^./]*$/, '')}.${EXTENSIONS[type]}`;

/**
 * Return what to send: `blob`, `name`, and a note with what was done or why nothing was done.
 * `options`: `longest` side in px, `type`, and `quality` from 0 to 1.
 */
export async function prepare(file, options) {
  const unchanged = why => ({ blob: file, name: file.name, type: file.type, note: `sent unchanged: ${why}` });
  const reason = await findObstacle(file);
  if (reason) return unchanged(reason);
  const whole = await decode(file);
  if (!whole) return unchanged('this browser cannot decode it');
  const from = `${whole.width} × ${whole.height}`;
  const small = await resize(whole, options.longest);
  const type = options.type === 'image/jpeg' && isTransparent(small) ? 'image/webp' : options.type;
  const canvas = toCanvas(small);
  whole.close();
  small.close();
  const blob = await encode(canvas, type, options.quality);
  if (!blob) return unchanged('this browser cannot encode it');
  const to = `${canvas.width} × ${canvas.height}`;
  // A browser that cannot encode a type returns a PNG with its type.
  return { blob, name: rename(file.name, blob.type), type: blob.type, note: from === to ? `${to}, stripped` : `${from} → ${to}, stripped` };
}
