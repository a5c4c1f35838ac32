// node encode.mjs FOLDER WIDTH HEIGHT MODE FILE < rgba: writes FILE, a KTX2 texture, by ktx2-encoder, which has a
// current build of Basis Universal. MODE is etc1s, uastc, and -linear behind it. CPU seconds of the encode are on stderr,
// since the encoder logs to stdout.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, width, height, mode, file] = process.argv.slice(2);
const path = join(folder, 'node_modules', 'ktx2-encoder', 'dist', 'node', 'index.js');
const { encodeToKTX2 } = await import(pathToFileURL(path));
const pixels = new Uint8Array(readFileSync(0));
const linear = mode.endsWith('-linear');
const options = {
  isUASTC: mode.startsWith('uastc'),
  generateMipmap: true,
  needSupercompression: true,
  qualityLevel: 128,
  compressionLevel: 1,
  uastcLDRQualityLevel: 1,
  enableRDO: false,
  isPerceptual: !linear,
  isSetKTX2SRGBTransferFunc: !linear,
  imageDecoder: async () => ({ data: pixels, width: +width, height: +height }),
};
await encodeToKTX2(pixels, options); // compiles the module
const before = process.cpuUsage();
const encoded = await encodeToKTX2(pixels, options);
const used = process.cpuUsage(before);
process.stderr.write(JSON.stringify((used.user + used.system) / 1e6));
writeFileSync(file, encoded);
