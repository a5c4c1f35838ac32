/**
 * Preparation of an image on this device before an upload: resize and re-encode it upright, which removes all metadata,
 * or remove the metadata of a JPEG without re-encoding it. Files that cannot be decoded, or would lose content, are sent
 * unchanged.
 *
 * @typedef {{maxPixels?: number, maxSide?: number, type?: string, quality?: number, strip?: boolean}} Preparation
 *   `maxPixels` (width × height) and `maxSide` in px are limits of the size. Without `type` only images above a limit
 *   are encoded, as PNG or WebP if they were, as JPEG otherwise. `quality` is from 0 to 1, 0.85 by default.
 *   `strip: false` keeps the metadata of images within the limits.
 * @typedef {{blob: Blob, name: string, type: string, note: string}} Prepared  `note` says what was done, or why nothing.
 */

const HEAD_BYTES = 65_536;
const DEFAULT_QUALITY = 0.85;

/** Signatures of animated images, near the start of a file. Re-encoding them would leave one frame. */
const ANIMATION_MARKS = { 'image/png': 'acTL', 'image/webp': 'ANIM', 'image/avif': 'avis' };

const EXTENSIONS = { 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/png': 'png' };

const KEPT_TYPES = new Set(['image/png', 'image/webp']);

/**
 * Return what to send for `file`. Runs in pages and in workers.
 *
 * @param {File} file
 * @param {Preparation} options
 * @returns {Promise<Prepared>}
 */
export async function prepareImage(file, options) {
    const unchanged = why => ({ blob: file, name: file.name, type: file.type, note: `sent unchanged: ${why}` });
    const reason = await findObstacle(file);
    if (reason) {
        return unchanged(reason);
    }
    const bitmap = await decode(file);
    if (!bitmap) {
        return unchanged('this browser cannot decode it');
    }
    try {
        const scale = scaleFor(bitmap, options);
        if (scale === 1 && !options.type) {
            return options.strip === false ? unchanged('it is small enough') : await stripFile(file, unchanged);
        }
        return await encodeBitmap(file, bitmap, scale, options) ?? unchanged('this browser cannot encode it');
    } finally {
        bitmap.close();
    }
}

async function findObstacle(file) {
    if (file.type === 'image/gif') {
        return 'a GIF may be animated';
    }
    if (file.type === 'image/svg+xml') {
        return 'an SVG has no pixels';
    }
    const mark = ANIMATION_MARKS[file.type];
    if (!mark) {
        return '';
    }
    const head = new TextDecoder('latin1').decode(await file.slice(0, HEAD_BYTES).arrayBuffer());
    return head.includes(mark) ? 'it is animated' : '';
}

async function decode(file) {
    try {
        return await createImageBitmap(file, { imageOrientation: 'from-image' });
    } catch {
        return null; // as in Node, which has no decoder
    }
}

function scaleFor({ width, height }, { maxPixels = Infinity, maxSide = Infinity }) {
    return Math.min(1, maxSide / Math.max(width, height), Math.sqrt(maxPixels / (width * height)));
}

async function encodeBitmap(file, bitmap, scale, options) {
    const [width, height] = [bitmap.width, bitmap.height].map(side => Math.max(1, Math.floor(side * scale + 1e-9)));
    const canvas = await draw(bitmap, width, height);
    const wanted = options.type ?? (KEPT_TYPES.has(file.type) ? file.type : 'image/jpeg');
    const type = wanted === 'image/jpeg' && isTransparent(canvas) ? 'image/webp' : wanted;
    const blob = await encode(canvas, type, options.quality ?? DEFAULT_QUALITY).catch(() => null);
    if (!blob) {
        return null;
    }
    const from = `${bitmap.width} × ${bitmap.height}`;
    const to = `${width} × ${height}`;
    // A browser that cannot encode a type returns a PNG with its type.
    return { blob, name: rename(file.name, blob.type), type: blob.type, note: from === to ? `${to}, stripped` : `${from} → ${to}, stripped` };
}

async function draw(bitmap, width, height) {
    const resized = width === bitmap.width && height === bitmap.height
        ? bitmap
        : await createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
    const canvas = makeCanvas(width, height);
    canvas.getContext('2d').drawImage(resized, 0, 0, width, height);
    if (resized !== bitmap) {
        resized.close();
    }
    return canvas;
}

const makeCanvas = (width, height) =>
    globalThis.OffscreenCanvas
        ? new OffscreenCanvas(width, height)
        : Object.assign(document.createElement('canvas'), { width, height });

const encode = (canvas, type, quality) =>
    canvas.convertToBlob
        ? canvas.convertToBlob({ type, quality })
        : new Promise(resolve => { canvas.toBlob(resolve, type, quality); });

/** Checked on a small copy: a transparent area is partly transparent there, too. */
function isTransparent(canvas) {
    const side = 64;
    const context = makeCanvas(side, side).getContext('2d');
    context.drawImage(canvas, 0, 0, side, side);
    const pixels = context.getImageData(0, 0, side, side).data;
    for (let at = 3; at < pixels.length; at += 4) {
        if (pixels[at] < 255) {
            return true;
        }
    }
    return false;
}

const rename = (name, type) => `${name.replace(/\.[^./]*$/, '')}.${EXTENSIONS[type]}`;

async function stripFile(file, unchanged) {
    if (file.type !== 'image/jpeg') {
        return unchanged('it is small enough; its metadata is removed after the upload');
    }
    const blob = stripJpeg(new Uint8Array(await file.arrayBuffer()));
    return blob ? { blob, name: file.name, type: file.type, note: 'stripped' } : unchanged('it is not a complete JPEG');
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const COM = 0xfe;

/**
 * Return a JPEG without metadata, and without what follows its image, such as the second image of a phone: kept are the
 * pixels, the colour profile and the orientation. Null if it ends too early.
 *
 * @param {Uint8Array} bytes
 */
export function stripJpeg(bytes) {
    if (bytes[0] !== 0xff || bytes[1] !== SOI) {
        return null;
    }
    const parts = [];
    let orientation = 1;
    let at = 2;
    while (at + 4 <= bytes.length && bytes[at] === 0xff) {
        const marker = bytes[at + 1];
        if (marker === EOI || marker === 0xff) {
            if (marker === EOI) {
                return join(bytes, parts, orientation, at);
            }
            at += 1; // a fill byte
            continue;
        }
        const header = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
        const end = marker === SOS ? endOfScan(bytes, header) : header;
        if (marker === APP1) {
            orientation = readOrientation(bytes.subarray(at + 4, end)) ?? orientation;
        }
        if (isKept(marker, bytes.subarray(at + 4, end))) {
            parts.push(bytes.subarray(at, end));
        }
        at = end;
    }
    return bytes[at] === 0xff && bytes[at + 1] === EOI ? join(bytes, parts, orientation, at) : null;
}

function isKept(marker, content) {
    if (marker === APP2) {
        return startsWith(content, 'ICC_PROFILE\0');
    }
    return marker === APP0 || marker === APP14 || (marker !== COM && (marker < APP0 || marker > 0xef));
}

/** Return the end of a scan whose data begins at `start`: the next marker that is neither an escaped 0xff nor a restart. */
function endOfScan(bytes, start) {
    for (let at = start; at + 1 < bytes.length; at += 1) {
        const next = bytes[at + 1];
        if (bytes[at] === 0xff && next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) {
            return at;
        }
    }
    return bytes.length;
}

function join(bytes, parts, orientation, end) {
    const first = parts[0]?.[1] === APP0 ? [parts.shift()] : []; // JFIF must be the first segment
    const turned = orientation === 1 ? [] : [orientationSegment(orientation)];
    return new Blob([bytes.subarray(0, 2), ...first, ...turned, ...parts, bytes.subarray(end, end + 2)], { type: 'image/jpeg' });
}

const startsWith = (bytes, text) => [...text].every((letter, at) => bytes[at] === letter.charCodeAt(0));

const ORIENTATION_TAG = 0x0112;

/** Return the orientation, 2 to 8, of an EXIF segment's content; undefined if it has none. */
function readOrientation(content) {
    if (!startsWith(content, 'Exif\0\0') || content.length < 14) {
        return undefined;
    }
    const view = new DataView(content.buffer, content.byteOffset + 6, content.length - 6);
    const little = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, little);
    if (directory + 2 > view.byteLength) {
        return undefined;
    }
    for (let entry = 0; entry < view.getUint16(directory, little); entry += 1) {
        const at = directory + 2 + entry * 12;
        if (at + 12 > view.byteLength) {
            return undefined;
        }
        if (view.getUint16(at, little) === ORIENTATION_TAG) {
            const value = view.getUint16(at + 8, little);
            return value >= 2 && value <= 8 ? value : undefined;
        }
    }
    return undefined;
}

/** Return an EXIF segment with the orientation alone. */
function orientationSegment(orientation) {
    const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
    return new Uint8Array([0xff, APP1, 0, 8 + tiff.length, ...'Exif\0\0'.split('').map(letter => letter.charCodeAt(0)), ...tiff]);
}
