"""A minimal handler: boto3 reads the source, Pillow resizes and encodes it."""

import io
import os
from base64 import b64encode
from typing import Any

import boto3
from PIL import Image, ImageOps

_s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Respond to ``/<key>/_/[q-<quality>_]w-<width>.<format>``."""
    key, _, options = event["rawPath"].removeprefix("/").partition("/_/")
    words, _, form = options.partition(".")
    presets = dict(word.split("-") for word in words.split("_"))
    found = _s3.get_object(Bucket=os.environ["MEDIA_BUCKET"], Key=f"masters/{key}")
    with Image.open(io.BytesIO(found["Body"].read())) as image:
        image.thumbnail((int(presets["w"]), image.height))
        out = io.BytesIO()
        ImageOps.exif_transpose(image).save(out, form.upper(), quality=int(presets.get("q", "80")))
    return {
        "statusCode": 200,
        "headers": {"content-type": f"image/{form}", "cache-control": "public, max-age=86400"},
        "body": b64encode(out.getvalue()).decode("ascii"),
        "isBase64Encoded": True,
    }
