// A minimal handler: AWS SDK v3 gets the source, sharp resizes and encodes it.
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import sharp from "sharp";

const s3 = new S3Client({ forcePathStyle: true });
const Bucket = process.env.MEDIA_BUCKET;

export async function handler(event) {
  const [key, options] = event.rawPath.slice(1).split("/_/");
  const [words, form] = options.split(".");
  const { w: width, q: quality = 80 } = Object.fromEntries(words.split("_").map((word) => word.split("-")));
  const found = await s3.send(new GetObjectCommand({ Bucket, Key: `masters/${key}` }));
  const Body = await sharp(await found.Body.transformToByteArray())
    .rotate()
    .resize({ width: Number(width), withoutEnlargement: true })
    .toFormat(form, { quality: Number(quality) })
    .toBuffer();
  return {
    statusCode: 200,
    headers: { "content-type": `image/${form}`, "cache-control": "public, max-age=86400" },
    body: Body.toString("base64"),
    isBase64Encoded: true,
  };
}
