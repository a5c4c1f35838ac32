// A minimal handler: AWS SDK v3 gets the source, sharp resizes and encodes it. With WRITE_BACK it also stores the image
// before it answers.
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import sharp from "sharp";

const s3 = new S3Client({ forcePathStyle: true });
const Bucket = process.env.MEDIA_BUCKET;
const CacheControl = "public, max-age=86400";

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
  if (process.env.WRITE_BACK) {
    const Key = `derivatives/${key}/_/${options}`;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: `image/${form}`, CacheControl }));
  }
  return {
    statusCode: 200,
    headers: { "content-type": `image/${form}`, "cache-control": CacheControl },
    body: Body.toString("base64"),
    isBase64Encoded: true,
  };
}
