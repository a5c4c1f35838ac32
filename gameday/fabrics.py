"""Fabrics of a shop: drawn images with the tags that a person gives them, and golden sets with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from cli.golden import MANIFEST, line_of, shown
from darkroom_analysis.mlops.golden_set import GoldenImage
from darkroom_pipeline.aws.s3 import S3Bucket

from .images import FABRICS, PLAIN, DrawnImage, draw_image

TAGS = tuple(kind for kind in FABRICS if kind != PLAIN)
"""Tags of the patterns; a plain fabric has none."""

SWAPPED = dict(zip(TAGS, (*TAGS[1:], TAGS[0]), strict=True))
"""A wrong tag for each of them."""


def draw_fabrics(seed: str, each: int) -> Iterator[tuple[str, str, DrawnImage]]:
    """Yield ``each`` images of every kind: a name, the tag ("" for none), and the image."""
    for number in range(each):
        for kind in FABRICS:
            image = draw_image(kind, seed, number)
            yield f"{kind}-{number}.{image.suffix}", kind if kind in TAGS else "", image


def correct_sheet(sheet: str, tags: Mapping[str, str]) -> str:
    """Return ``sheet`` with the images that ``tags`` has by key, each with its tag instead of those of the model."""
    keys = [line.partition("\t")[0] for line in sheet.split("\n")]
    return "".join(f"{key}\t{tags[key]}\n" for key in keys if key in tags)


def copy_golden_set(media: S3Bucket, folder: Path) -> int:
    """Write the golden set of ``media`` into ``folder``, for ``darkroom golden put``; return the number of images."""
    folder.mkdir()
    images = []
    for golden in shown(media):
        if (body := media.read(golden.key)) is not None:
            images.append(replace(golden, key=PurePosixPath(golden.key).name))
            (folder / images[-1].key).write_bytes(body)
    (folder / MANIFEST).write_text("".join(f"{line_of(one)}\n" for one in images), encoding="utf-8")
    return len(images)


def add_golden_fabrics(folder: Path, seed: str, each: int) -> int:
    """Add ``each`` fabrics of every kind to the golden set in ``folder``; return their number."""
    lines = []
    for name, tag, image in draw_fabrics(seed, each):
        (folder / f"fabric-{name}").write_bytes(image.body)
        lines.append(line_of(GoldenImage(f"fabric-{name}", tags=(tag,) if tag else ())))
    with (folder / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.writelines(f"{line}\n" for line in lines)
    return len(lines)
