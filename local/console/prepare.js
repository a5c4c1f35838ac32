// What this device can do before an upload: turn a photograph upright, make it smaller and encode it anew, which
// leaves all metadata behind. What it cannot read, or would harm, is sent as it is.

const LOOKED_AT_BYTES = 65_536;

/** Marks of pictures that move, near the start of a file. Encoding them anew would leave one frame. */
const MOVING = { 'image/png': 'acTL', 'image/webp': 'ANIM', 'image/avif': 'avis' };

async function movesOrIsNoPhotograph(file) {
  if (file.type === 'image/gif') return 'a GIF may move';
  if (file.type === 'image/svg+xml') return 'a drawing has no pixels';
  const mark = MOVING[file.type];
  if (!mark) return '';
  const head = new TextDecoder('latin1').decode(await file.slice(0, LOOKED_AT_BYTES).arrayBuffer());
  return head.includes(mark) ? 'it moves' : '';
}

const decoded = file => createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null);

async function resized(bitmap, longest) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  if (scale === 1) return bitmap;
  const [width, height] = [bitmap.width, bitmap.height].map(side => Math.max(1, Math.round(side * scale)));
  return createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
}

function canvasOf(bitmap, width = bitmap.width, height = bitmap.height) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d').drawImage(bitmap, 0, 0, width, height);
  return canvas;
}

// Looked for in a small copy: what is transparent somewhere is so there too, if only a little.
function isTransparent(bitmap) {
  const side = 64;
  const pixels = canvasOf(bitmap, side, side).getContext('2d').getImageData(0, 0, side, side).data;
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] < 255) return true;
  return false;
}

const encoded = (canvas, type, quality) => new Promise(resolve => { canvas.toBlob(resolve, type, quality); });

const EXTENSIONS = { 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/png': 'png' };

const renamed = (name, type) => `${name.replace(/\.[^./]*$/, '')}.${EXTENSIONS[type]}`;

/**
 * `file` as it is to be sent: `blob`, `name`, and in words what was done or why nothing was.
 * `wanted`: `longest` side in px, `type`, and `quality` from 0 to 1.
 */
export async function prepared(file, wanted) {
  const asItIs = why => ({ blob: file, name: file.name, type: file.type, note: `sent as it is: ${why}` });
  const reason = await movesOrIsNoPhotograph(file);
  if (reason) return asItIs(reason);
  const whole = await decoded(file);
  if (!whole) return asItIs('this browser cannot read it');
  const from = `${whole.width} × ${whole.height}`;
  const small = await resized(whole, wanted.longest);
  const type = wanted.type === 'image/jpeg' && isTransparent(small) ? 'image/webp' : wanted.type;
  const canvas = canvasOf(small);
  whole.close();
  small.close();
  const blob = await encoded(canvas, type, wanted.quality);
  if (!blob) return asItIs('this browser cannot encode it');
  const to = `${canvas.width} × ${canvas.height}`;
  // A browser that cannot encode a type makes a PNG of it, and says so.
  return { blob, name: renamed(file.name, blob.type), type: blob.type, note: from === to ? `${to}, stripped` : `${from} → ${to}, stripped` };
}
