"""Start an isolated stack with the validator's image, ingested like any upload."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom_pipeline.aws.s3 import S3Bucket
from local import isolated_stack
from local.aws import Cloud
from local.isolated_stack import IsolatedStack, StackError
from local.paths import ROOT

IMAGE = ROOT / "tests" / "cases" / "iiif" / "67352ccc-d1b0-11e1-89ae-279075081939.png"
"""The validator's image; its identifier is the file name without ``.png``."""

PARAMETERS = ("--parameter", "iiif_access_mode=open", "--parameter", "iiif_oversized_box=reject")
"""The validator requests every feature, and expects 400 for ``!w,h`` larger than the region."""

INGESTED_WITHIN_S = 120.0


@contextmanager
def running(state: Path) -> Iterator[str]:
    """Start a stack without access restrictions with its data in ``state``, and yield its URL. Raises StackError."""
    with isolated_stack.run_stack(state, "--no-watch", "--no-inference", *PARAMETERS) as stack:
        _ingest(stack)
        yield str(stack.info["cdn_url"])


def _ingest(stack: IsolatedStack) -> None:
    """Upload the image and wait until it is served: the first response may exceed the validator's timeout of 5 s."""
    s3 = Cloud(stack.info["aws_endpoint_url"]).s3
    bucket = stack.info["outputs"]["UploadsBucketName"]
    s3.put_object(Bucket=bucket, Key=IMAGE.stem, Body=IMAGE.read_bytes(), ContentType="image/png")

    media = S3Bucket(s3, stack.info["media_bucket"])
    deadline_s = time.monotonic() + INGESTED_WITHIN_S
    while media.head(f"masters/{IMAGE.stem}") is None:
        if time.monotonic() > deadline_s:
            raise StackError(f"The image was not ingested\n{stack.tail()}")
        time.sleep(0.2)
    for rest in ("info.json", "full/max/0/default.jpg"):
        with urllib.request.urlopen(f"{stack.info['cdn_url']}/iiif/3/{IMAGE.stem}/{rest}", timeout=60) as answer:  # noqa: S310
            answer.read()
