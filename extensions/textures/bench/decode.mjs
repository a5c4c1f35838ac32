// node decode.mjs FOLDER < texture.ktx2 > levels: decodes a texture by three.js's transcoder, and checks its container by
// ktx-parse. Each level is its width and height (32-bit little-endian) and its RGBA bytes. The container is JSON on stderr.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const RGBA32 = 13; // transcoder_texture_format::cTFRGBA32
const modules = join(process.argv[2], 'node_modules');
const basis = join(modules, 'three', 'examples', 'jsm', 'libs', 'basis');
const bytes = new Uint8Array(readFileSync(0));

const { read } = await import(pathToFileURL(join(modules, 'ktx-parse', 'dist', 'index.mjs')));
const container = read(bytes);
const { levels, globalData, ...stated } = container;
process.stderr.write(JSON.stringify({ ...stated, levels: levels.length }, (_, value) =>
  ArrayBuffer.isView(value) ? new TextDecoder().decode(value) : value));

const scope = { exports: {} };
const source = readFileSync(join(basis, 'basis_transcoder.js'), 'utf8');
new Function('module', 'exports', 'require', '__dirname', '__filename', source)(
  scope, scope.exports, createRequire(import.meta.url), basis, join(basis, 'basis_transcoder.js'));
const module = await scope.exports({ wasmBinary: readFileSync(join(basis, 'basis_transcoder.wasm')) });
module.initializeBasis();
const file = new module.KTX2File(bytes);
if (!file.isValid() || !file.startTranscoding()) {
  throw new Error('the transcoder refuses the file');
}
for (let level = 0; level < file.getLevels(); level++) {
  const { origWidth, origHeight } = file.getImageLevelInfo(level, 0, 0);
  const pixels = new Uint8Array(file.getImageTranscodedSizeInBytes(level, 0, 0, RGBA32));
  if (!file.transcodeImage(pixels, level, 0, 0, RGBA32, 0, -1, -1)) {
    throw new Error(`level ${level} cannot be transcoded`);
  }
  process.stdout.write(new Uint8Array(Uint32Array.of(origWidth, origHeight).buffer));
  process.stdout.write(pixels);
}
file.close();
file.delete();
