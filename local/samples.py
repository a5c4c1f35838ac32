"""Photographs to play with, from packages that carry some, and a watermark drawn here.

The photographs are uploaded and go through ingest, as any picture does; the watermark is put where it is read from.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from pathlib import Path

from darkroom.aws.index import Index
from darkroom.aws.record import READY
from darkroom.aws.s3 import S3Bucket

from . import event_samples, golden
from .aws import Cloud
from .progress import Progress
from .stack_info import StackInfo

PHOTOGRAPHS = {
    "astronaut.png": "image/png",
    "chelsea.png": "image/png",
    "coffee.png": "image/png",
    "hubble_deep_field.jpg": "image/jpeg",
    "rocket.jpg": "image/jpeg",
}
"""Files of scikit-image's wheel: NASA's are in the public domain, the cat and the coffee are CC0."""

WATERMARK = "watermarks/logo.png"

READY_WITHIN_S = 300.0
"""How long the start waits for ingest: it takes some five seconds, and far more where other processes are busy."""

LOOK_EVERY_S = 0.1


def provide(cloud: Cloud, facts: StackInfo, progress: Progress) -> None:
    """Put what is missing, and wait until ingest has taken it in. What is there is not touched."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    media, uploads = S3Bucket(cloud.s3, facts.media_bucket), S3Bucket(cloud.s3, facts.uploads_bucket)
    if media.head(WATERMARK) is None:
        media.put(WATERMARK, draw_watermark(), headers={"Content-Type": "image/png"}, metadata={})
    if facts.sagemaker_url:
        golden.provide(media, folder)
    sent = [key for key, name in keys().items() if _uploaded(uploads, key, folder / name)]
    asked = event_samples.put_back(cloud, facts, folder)
    if not sent and not asked:
        return
    with progress.step(f"Sample photographs that ingest takes in: {len(sent) + len(asked)}"):
        late = _wait(Index(cloud.dynamodb, facts.index_table), [*sent, *asked])
    if late:
        progress.say(f"  not yet ready, which may have a reason in the log: {', '.join(late)}")
    if done := [key for key in asked if key not in late]:
        event_samples.delete_quietly(cloud, facts, done)


def keys() -> Mapping[str, str]:
    """File names of the photographs, by key."""
    return {f"samples/{name.replace('_', '-')}": name for name in PHOTOGRAPHS}


def _uploaded(uploads: S3Bucket, key: str, path: Path) -> bool:
    """Upload ``path`` unless there is something; whether that was done."""
    if uploads.head(key) is not None:
        return False
    uploads.put(key, path.read_bytes(), headers={"Content-Type": PHOTOGRAPHS[path.name]}, metadata={})
    return True


def _wait(index: Index, wanted: list[str]) -> list[str]:
    """Wait until ``wanted`` are ready; those that are not in time."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while True:
        known = index.get_many(wanted)
        late = [key for key in wanted if key not in known or known[key].state != READY]
        if not late or time.monotonic() > deadline_s:
            return late
        time.sleep(LOOK_EVERY_S)


def draw_watermark() -> bytes:
    """A PNG of 480 × 480 px with alpha: the blades of an iris, white with dark rims so that it shows on anything."""
    from math import cos, pi, sin

    from PIL import Image, ImageDraw

    scale, size = 4, 480
    canvas = Image.new("RGBA", (size * scale, size * scale))
    draw = ImageDraw.Draw(canvas)
    middle, outer, inner = size * scale / 2, size * scale / 2 - scale, size * scale * 0.21

    def point(radius: float, turn: float) -> tuple[float, float]:
        return middle + radius * cos(turn), middle + radius * sin(turn)

    box = [middle - outer, middle - outer, middle + outer, middle + outer]
    draw.ellipse(box, fill=(255, 255, 255, 230), outline=(20, 20, 20, 200), width=7 * scale)
    draw.polygon([point(inner, blade * pi / 3) for blade in range(6)], fill=(20, 20, 20, 200))
    for blade in range(6):
        ends = [point(inner, blade * pi / 3), point(outer, (blade + 1.15) * pi / 3)]
        draw.line(ends, fill=(20, 20, 20, 200), width=7 * scale)
    buffer = io.BytesIO()
    canvas.resize((size, size), Image.Resampling.LANCZOS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
