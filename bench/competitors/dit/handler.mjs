// DIT's calls: a handler of ours that asks of the AWS SDK, of sharp and of the console what the image handler of AWS's
// Dynamic Image Transformation for Amazon CloudFront, v7, asks of them for a request of its default kind (the path is
// Base64 of {bucket, key, edits}), in the same order and with the same options. None of its code is here. Left out is
// what such a request does not reach: signatures, expiry, animations, overlays, smart crops, moderation, fallbacks.
import { RekognitionClient } from "@aws-sdk/client-rekognition";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import dayjs from "dayjs";
import customParseFormat from "dayjs/plugin/customParseFormat.js";
import utc from "dayjs/plugin/utc.js";
import sharp from "sharp";

dayjs.extend(customParseFormat);
dayjs.extend(utc);

// Path style is for the S3 of this benchmark, the rest is as deployed: three clients, of which two wait for other requests.
const options = { customUserAgent: "AwsSolution/SO0023/v7.0.0" };
const s3 = new S3Client({ ...options, followRegionRedirects: true, forcePathStyle: true });
export const others = [new RekognitionClient(options), new SecretsManagerClient(options)];

const KNOWN_TYPES = ["jpeg", "png", "webp", "tiff", "gif", "svg+xml", "avif"].map((name) => `image/${name}`);
const PAYLOAD_LIMIT = 6 * 1024 * 1024;
const TO_SHARP = ["webp", "jpeg", "avif", "png", "toFormat", "resize"];

const decoded = ({ path }) => JSON.parse(Buffer.from(path.slice(1), "base64").toString());

export async function handler(event) {
  console.info(`Path: ${event.path}`);
  console.info(`QueryParams: ${JSON.stringify(event.queryStringParameters)}`);
  const wanted = await prepared(event);
  console.info(wanted);
  const body = (await processed(wanted)).toString("base64");
  if (body.length > PAYLOAD_LIMIT) throw new Error("The converted image is too large to return.");
  const headers = {
    "Cache-Control": wanted.cacheControl,
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
    "Access-Control-Allow-Credentials": "true",
    "Content-Type": wanted.contentType,
    Expires: wanted.expires,
    "Last-Modified": wanted.lastModified,
  };
  return { statusCode: 200, isBase64Encoded: true, headers, body };
}

// It decodes the path again for each of: kind of request, bucket, key and edits, headers, format.
async function prepared(event) {
  const requestType = decoded(event) && "Default";
  const buckets = process.env.SOURCE_BUCKETS.replace(/\s+/g, "").split(",");
  const bucket = buckets.find((name) => name === decoded(event).bucket);
  const { key } = decoded(event);
  const { edits } = decoded(event);
  const original = await fetched(bucket, key);
  const { headers } = decoded(event);
  const outputFormat = edits.toFormat ?? decoded(event).outputFormat;
  return { requestType, bucket, key, edits, headers, ...original, outputFormat, contentType: `image/${outputFormat}` };
}

async function fetched(Bucket, Key) {
  console.info("Getting image from S3:", { Bucket, Key });
  const found = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const originalImage = Buffer.from(await found.Body.transformToByteArray());
  return {
    contentType: KNOWN_TYPES.includes(found.ContentType) ? found.ContentType : "image/jpeg",
    lastModified: new Date(found.LastModified).toUTCString(),
    cacheControl: found.CacheControl ?? "max-age=31536000,public",
    originalImage,
  };
}

async function processed({ originalImage, edits, outputFormat }) {
  const loading = { failOnError: false, animated: false, limitInputPixels: true };
  await sharp(originalImage, loading).metadata(); // whether it is an image at all
  const image = sharp(originalImage, loading).withMetadata();
  if (edits.resize.width) edits.resize.width = Math.round(Number(edits.resize.width));
  for (const edit in edits) if (TO_SHARP.includes(edit)) image[edit](edits[edit]);
  return await image.toFormat(outputFormat).toBuffer();
}
