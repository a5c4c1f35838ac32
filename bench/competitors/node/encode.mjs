// Answers each line, a JSON object {source, width, format, quality, target}, once sharp has written the image to `target`.
import { createInterface } from "node:readline";
import sharp from "sharp";

sharp.concurrency(1);

for await (const line of createInterface({ input: process.stdin })) {
  const { source, width, format, quality, target } = JSON.parse(line);
  await sharp(source).rotate().resize({ width, withoutEnlargement: true }).toFormat(format, { quality }).toFile(target);
  console.log("{}");
}
