// Apply edits to an image with sharp: {folder, image (base64), edits: [[method, argument], …]} to {pixels, width, height}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { folder, image, rows } = JSON.parse(readFileSync(0, "utf8"));
const sharp = createRequire(join(folder, "run.cjs"))("sharp");
const found = [];
for (const edits of rows) {
  let pipeline = sharp(Buffer.from(image, "base64"));
  for (const [method, argument] of edits) pipeline = pipeline[method](...(argument === null ? [] : [argument]));
  const { data, info } = await pipeline.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  found.push({ pixels: data.toString("base64"), width: info.width, height: info.height });
}
console.log(JSON.stringify(found));
