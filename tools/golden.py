"""The golden set: pictures of which people have said what is in them, by which the models are judged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from darkroom.aws.s3 import S3Bucket
from darkroom.mlops.golden_set import GoldenImage, parse_manifest

PREFIX = "golden/"
MANIFEST = "manifest.jsonl"


def put(media: S3Bucket, pictures: Iterable[tuple[GoldenImage, bytes]]) -> int:
    """Replace the golden set by ``pictures``, each as its file was; how many there are.

    They are stored as models get to see pictures: upright JPEGs of 2048 px at most, so that labels in fractions stay
    true. The manifest is written last: it never names a picture that is not there.

    Raises ValueError for two pictures of one name, what :func:`darkroom.imaging.render.pipeline.render` raises for one
    that cannot be decoded, Unavailable.
    """
    from darkroom.imaging.source import Source
    from darkroom.plan.limits import Limits
    from darkroom.services.inference.views import prepare_jpeg

    lines: dict[str, str] = {}
    for golden, body in pictures:
        key = f"{PREFIX}{PurePosixPath(golden.picture).stem}.jpg"
        if key in lines:
            raise ValueError(f"there are two pictures for {key}")
        jpeg = prepare_jpeg(Source.from_bytes(body), Limits())
        media.put(key, jpeg, headers={"Content-Type": "image/jpeg"}, metadata={})
        lines[key] = line_of(replace(golden, picture=key))
    text = "".join(f"{line}\n" for line in lines.values())
    media.put(PREFIX + MANIFEST, text.encode(), headers={"Content-Type": "application/jsonl"}, metadata={})
    return len(lines)


def line_of(golden: GoldenImage) -> str:
    """The line of a manifest that says what ``golden`` says, and no more."""
    labels = {"faces": golden.faces, "unsafe": golden.unsafe, "text": golden.text}
    return json.dumps({"picture": golden.picture} | {name: said for name, said in labels.items() if said is not None})


def shown(media: S3Bucket) -> list[GoldenImage]:
    """The golden set as it is, empty if there is none; raises ValueError if it cannot be read, Unavailable."""
    opened = media.open(PREFIX + MANIFEST)
    if opened is None:
        return []
    with opened.body as body:
        return list(parse_manifest(body.read().decode()))


def read_folder(folder: Path) -> Iterator[tuple[GoldenImage, bytes]]:
    """Each picture that the manifest in ``folder`` names, with its file's bytes; raises ValueError, OSError."""
    for golden in parse_manifest((folder / MANIFEST).read_text(encoding="utf-8")):
        yield golden, (folder / golden.picture).read_bytes()


def describe(golden: GoldenImage) -> str:
    """Describe a picture and its labels in a line."""
    said = [
        "" if golden.faces is None else f"faces {len(golden.faces)}",
        "" if golden.unsafe is None else "unsafe" if golden.unsafe else "safe",
        "" if golden.text is None else f"words {len(golden.text.split())}",
    ]
    return f"{golden.picture}  {', '.join(filter(None, said))}"
