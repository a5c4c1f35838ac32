"""The golden set: labelled images with which models are evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from darkroom_analysis.mlops.golden_set import GoldenImage, parse_manifest
from darkroom_pipeline.aws.s3 import S3Bucket

PREFIX = "golden/"
MANIFEST = "manifest.jsonl"


def put(media: S3Bucket, images: Iterable[tuple[GoldenImage, bytes]]) -> int:
    """Replace the golden set by ``images``, each with its file's bytes. Return their number.

    They are stored as models receive images: upright JPEGs of 2048 px at most, for which labels in fractions remain
    valid. The manifest is written last: it never names a missing image.

    Raises ValueError for two images of one name, what :func:`darkroom.imaging.render.pipeline.render` raises for one
    that cannot be decoded, Unavailable.
    """
    from darkroom.imaging.source import Source
    from darkroom.plan.limits import Limits
    from darkroom_analysis.inference.views import prepare_jpeg

    lines: dict[str, str] = {}
    for golden, body in images:
        key = f"{PREFIX}{PurePosixPath(golden.key).stem}.jpg"
        if key in lines:
            raise ValueError(f"two images for {key}")
        jpeg = prepare_jpeg(Source.from_bytes(body), Limits())
        media.put(key, jpeg, headers={"Content-Type": "image/jpeg"}, metadata={})
        lines[key] = line_of(replace(golden, key=key))
    text = "".join(f"{line}\n" for line in lines.values())
    media.put(PREFIX + MANIFEST, text.encode(), headers={"Content-Type": "application/jsonl"}, metadata={})
    return len(lines)


def line_of(golden: GoldenImage) -> str:
    """Return the manifest line of ``golden``."""
    objects = None if golden.objects is None else [[one.name, *one.region] for one in golden.objects]
    labels = {
        "faces": golden.faces,
        "unsafe": golden.unsafe,
        "text": golden.text,
        "tags": golden.tags,
        "objects": objects,
    }
    return json.dumps({"picture": golden.key} | {name: label for name, label in labels.items() if label is not None})


def shown(media: S3Bucket) -> list[GoldenImage]:
    """Read the golden set, empty if there is none. Raises ValueError if it is invalid, Unavailable."""
    opened = media.open(PREFIX + MANIFEST)
    if opened is None:
        return []
    with opened.body as body:
        return list(parse_manifest(body.read().decode()))


def read_folder(folder: Path) -> Iterator[tuple[GoldenImage, bytes]]:
    """Yield each image that the manifest in ``folder`` names, with its bytes. Raises ValueError, OSError."""
    for golden in parse_manifest((folder / MANIFEST).read_text(encoding="utf-8")):
        yield golden, (folder / golden.key).read_bytes()


def describe_coverage(labelled: Mapping[str, int]) -> str:
    """Describe in a line what a golden set with ``labelled`` images by task measures."""
    if not any(labelled.values()):
        return "none: no model is measured (./darkroom golden put, docs/guides/models.md)"
    measured = ", ".join(f"{task} {images}" for task, images in labelled.items() if images)
    missing = ", ".join(task for task, images in labelled.items() if not images)
    return f"images by task: {measured}" + (f"; not measured: {missing}" if missing else "")


def describe_labels(golden: GoldenImage) -> str:
    """Describe the labels of an image."""
    label = [
        "" if golden.faces is None else f"faces {len(golden.faces)}",
        "" if golden.unsafe is None else "unsafe" if golden.unsafe else "safe",
        "" if golden.text is None else f"words {len(golden.text.split())}",
        "" if golden.tags is None else f"tags {', '.join(golden.tags) or 'none'}",
        "" if golden.objects is None else f"objects {len(golden.objects)}",
    ]
    return ", ".join(filter(None, label))
