// What DIT 7's image handler calls of sharp for a request's edits, in its order; none of its code is here.
// Reads {folder, requests: [{id, source, edits, output}]} from a file, writes id.out and results.json into the folder.
// Overlays are files of the folder; there is no Rekognition, so smart crops and moderation are not in the table.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";

const { folder, requests } = JSON.parse(await readFile(process.argv[2], "utf8"));
const read = (name) => readFile(path.join(folder, name));
const loading = (animated) => ({ failOnError: false, animated, limitInputPixels: true });
const percent = /^(100|[1-9]?\d)$/;

async function resized(image, resize) {
  if (resize === undefined) return { fit: "inside" };
  if (resize.width) resize.width = Math.round(Number(resize.width));
  if (resize.height) resize.height = Math.round(Number(resize.height));
  if (resize.ratio) {
    const { width, height } = resize.width && resize.height ? resize : await image.metadata();
    resize.width = Math.round(width * resize.ratio);
    resize.height = Math.round(height * resize.ratio);
    delete resize.ratio;
    resize.fit ??= "inside";
  }
  return resize;
}

function offset(option, side, own) {
  if (option === undefined) return NaN;
  const text = `${option}`;
  const number = parseInt(text);
  if (text.endsWith("p")) return Math.floor(number < 0 ? side + (side * number) / 100 - own : (side * number) / 100);
  return number < 0 ? side + number - own : number;
}

async function overlay(image, edits) {
  let metadata = await image.metadata();
  if (edits.resize) metadata = await sharp(await image.toBuffer()).resize(edits.resize).metadata();
  const { key, wRatio, hRatio, alpha, options } = edits.overlayWith;
  const box = { fit: "inside" };
  if (percent.test(wRatio)) box.width = Math.floor((metadata.width * parseInt(wRatio)) / 100);
  if (percent.test(hRatio)) box.height = Math.floor((metadata.height * parseInt(hRatio)) / 100);
  const opacity = 255 * (1 - (percent.test(alpha) ? parseInt(alpha) : 0) / 100);
  const veil = { input: Buffer.from([255, 255, 255, opacity]), raw: { width: 1, height: 1, channels: 4 }, tile: true, blend: "dest-in" };
  const input = await sharp(await read(key)).resize(box).composite([veil]).toBuffer();
  const own = await sharp(input).metadata();
  const placed = { ...options, input };
  const left = offset(options?.left, metadata.width, own.width);
  const top = offset(options?.top, metadata.height, own.height);
  if (!isNaN(left)) placed.left = left;
  if (!isNaN(top)) placed.top = top;
  image.composite([placed]);
}

async function rounded(image, value) {
  const { rx, ry, top, left } = typeof value === "object" ? value : {};
  const { info } = await image.toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const half = Math.min(width, height) / 2;
  const or = (given, other) => (given && given >= 0 ? given : other);
  const ellipse = `<svg viewBox="0 0 ${width} ${height}"> <ellipse cx="${or(left, width / 2)}" cy="${or(top, height / 2)}" rx="${or(rx, half)}" ry="${or(ry, half)}" /></svg>`;
  const data = await image.composite([{ input: Buffer.from(ellipse), blend: "dest-in" }]).toBuffer();
  return sharp(data).withMetadata().trim();
}

async function processed({ source, edits, output }) {
  const original = await read(source);
  const make = (animated) =>
    edits.rotate === null ? sharp(original, loading(animated)) : sharp(original, loading(animated)).withMetadata();
  let animated = edits.animated ?? source.endsWith(".gif");
  let image = make(animated);
  if (animated && !((await image.metadata()).pages > 1)) {
    animated = false;
    image = make(animated);
  }
  edits.resize = await resized(image, edits.resize);
  for (const edit in edits) {
    if (animated && ["rotate", "smartCrop", "roundCrop", "contentModeration"].includes(edit)) continue;
    if (edit === "overlayWith") await overlay(image, edits);
    else if (edit === "roundCrop") image = edits.roundCrop ? await rounded(image, edits.roundCrop) : image;
    else if (edit === "crop") image.extract(edits.crop);
    else if (edit === "rotate") edits.rotate === null || image.rotate(edits.rotate);
    else if (edit !== "animated" && typeof image[edit] === "function") image[edit](edits[edit]);
  }
  return await image.toFormat(output ?? "png").toBuffer({ resolveWithObject: true });
}

const results = {};
for (const request of requests) {
  try {
    const { data, info } = await processed(request);
    await writeFile(path.join(folder, `${request.id}.out`), data);
    results[request.id] = { width: info.width, height: info.pageHeight ?? info.height };
  } catch (error) {
    results[request.id] = { error: error.message };
  }
}
await writeFile(path.join(folder, "results.json"), JSON.stringify(results));
