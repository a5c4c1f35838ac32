// Answers each line with the milliseconds that sharp takes to make all presets, each from a decode of its own, and leaves
// them in a folder: node presets.mjs SOURCE PRESETS FOLDER, where PRESETS is a JSON object of names and options.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

const [source, presets, folder] = process.argv.slice(2);
const data = readFileSync(source);
const wanted = Object.entries(JSON.parse(presets));
sharp.concurrency(1);

for await (const _ of createInterface({ input: process.stdin })) {
  const made = [];
  const started = performance.now();
  for (const [name, { width, height, fit, gravity, quality }] of wanted) {
    const size = { width, height, fit, position: gravity, withoutEnlargement: true };
    made.push([name, await sharp(data).rotate().resize(size).webp({ quality }).toBuffer()]);
  }
  const ms = performance.now() - started;
  for (const [name, body] of made) writeFileSync(`${folder}/${name}`, body);
  console.log(JSON.stringify(ms));
}
