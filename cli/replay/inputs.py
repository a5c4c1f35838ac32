"""Images to replay: masters, prepared as for models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from darkroom.errors import DarkroomError
from darkroom.image_keys import ObjectNames
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.views import prepare_jpeg
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_pipeline.aws.s3 import S3Bucket


def sampled(samples: SampleStore, names: ObjectNames) -> list[str]:
    """List the masters of stored samples, each once, newest first. Raises Unavailable."""
    recent = sorted(samples.recent(), key=lambda sample: sample.at_s, reverse=True)
    return list(dict.fromkeys(names.name(sample.key) for sample in recent))


def below(masters: S3Bucket, prefix: str) -> Iterator[str]:
    """List all objects that start with ``prefix``. Raises Unavailable."""
    for page in masters.list_pages(prefix):
        yield from (one.key for one in page if not one.key.endswith("/"))


def listed(masters: S3Bucket, manifest: str) -> list[str]:
    """List the objects of the same bucket that the Ground Truth manifest ``manifest`` names.

    Raises ValueError for an invalid manifest, Unavailable.
    """
    opened = masters.open(manifest)
    if opened is None:
        raise ValueError(f"There is no {manifest} in {masters.bucket}.")
    with opened.body as body:
        lines = [line for line in body.read().splitlines() if line.strip()]
    try:
        references = [str(json.loads(line)["source-ref"]) for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{manifest} is no manifest: {error!r}") from error
    bucket = f"s3://{masters.bucket}/"
    if elsewhere := [one for one in references if not one.startswith(bucket)]:
        raise ValueError(f"{elsewhere[0]} is not in {masters.bucket}.")
    return [one.removeprefix(bucket) for one in references]


def images(masters: S3Bucket, keys: Iterable[str]) -> Iterator[bytes]:
    """Yield a JPEG of each object, prepared as by infer, without missing and undecodable ones.

    Raises Unavailable.
    """
    for key in keys:
        opened = masters.open(key)
        if opened is None:
            continue
        with opened.body as body:
            try:
                yield prepare_jpeg(Source.from_stream(iter(body), opened.head.size_bytes), Limits())
            except DarkroomError as error:
                if error.status >= 500 or error.retryable:
                    raise
