// The place of a crop that the renderer searched: the window of the master that resembles the result most.

const LONG_SIDE_PX = 120;
const MAX_DIFFERENCE = 24; // mean of the pixels, of 255: an effect or a rotation hides the place
const MAX_STRETCH = 1.05; // margins are part of the result, and make it another shape

function readGreys(image, width, height) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return Float32Array.from({ length: width * height }, (_, at) => 0.3 * data[4 * at] + 0.59 * data[4 * at + 1] + 0.11 * data[4 * at + 2]);
}

function difference(master, masterWidth, result, [width, height], left, top) {
  let sum = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) sum += Math.abs(master[(top + y) * masterWidth + left + x] - result[y * width + x]);
  }
  return sum / (width * height);
}

/**
 * Return `[left, top]` of a window of `kept` pixels in a master of `scaled` pixels, or null if no place resembles `result`.
 * `master` and `result` are images whose pixels can be read.
 */
export function locateCrop(master, result, scaled, kept) {
  const stretch = (result.width * kept[1]) / (result.height * kept[0]);
  if (stretch > MAX_STRETCH || stretch < 1 / MAX_STRETCH) return null;
  const scale = LONG_SIDE_PX / Math.max(...scaled);
  const whole = scaled.map(side => Math.max(1, Math.round(side * scale)));
  const size = kept.map((side, axis) => Math.min(whole[axis], Math.max(1, Math.round(side * scale))));
  const greys = readGreys(master, ...whole);
  const wanted = readGreys(result, ...size);
  let best = { at: null, difference: MAX_DIFFERENCE };
  for (let top = 0; top <= whole[1] - size[1]; top += 1) {
    for (let left = 0; left <= whole[0] - size[0]; left += 1) {
      const found = difference(greys, whole[0], wanted, size, left, top);
      if (found < best.difference) best = { at: [left / scale, top / scale], difference: found };
    }
  }
  return best.at;
}
