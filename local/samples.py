"""Sample photographs from Python packages, and a generated watermark.

The photographs are uploaded and ingested as any image; the watermark is stored where renders read it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import READY
from darkroom_pipeline.aws.s3 import S3Bucket

from . import event_samples, golden
from .aws import Cloud
from .errors import StartError
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
"""How long the start waits for ingest: usually five seconds, far more on a busy machine."""

POLL_S = 0.1


def find_photographs() -> Path:
    """Return the folder with PHOTOGRAPHS. It is found without an import: what scikit-image imports is not installed."""
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise StartError("scikit-image, which has the sample photographs, is not installed.")
    return Path(found.origin).parent / "data"


def ensure_samples(cloud: Cloud, info: StackInfo, progress: Progress) -> None:
    """Upload missing samples, and wait until they are ingested. Existing objects do not change."""
    folder = find_photographs()
    media, uploads = S3Bucket(cloud.s3, info.media_bucket), S3Bucket(cloud.s3, info.uploads_bucket)
    if media.head(WATERMARK) is None:
        media.put(WATERMARK, draw_watermark(), headers={"Content-Type": "image/png"}, metadata={})
    if info.sagemaker_url:
        golden.ensure_golden_set(media, folder)
    sent = [key for key, name in list_files().items() if _uploaded(uploads, key, folder / name)]
    restored = event_samples.restore(cloud, info, folder)
    if not sent and not restored:
        return
    with progress.step(f"Ingesting sample photographs: {len(sent) + len(restored)}"):
        pending = _wait(Index(cloud.dynamodb, info.index_table), [*sent, *restored])
    if pending:
        progress.report(f"  not ready in time, see the logs of ingest: {', '.join(pending)}")
    if done := [key for key in restored if key not in pending]:
        event_samples.delete_quietly(cloud, info, done)


def list_files() -> Mapping[str, str]:
    """Map keys of the photographs to file names."""
    return {f"samples/{name.replace('_', '-')}": name for name in PHOTOGRAPHS}


def _uploaded(uploads: S3Bucket, key: str, path: Path) -> bool:
    """Upload ``path`` unless the key exists; return whether it was uploaded."""
    if uploads.head(key) is not None:
        return False
    uploads.put(key, path.read_bytes(), headers={"Content-Type": PHOTOGRAPHS[path.name]}, metadata={})
    return True


def _wait(index: Index, keys: list[str]) -> list[str]:
    """Wait until ``wanted`` are ready; return the keys that are not ready in time."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while True:
        known = index.get_many(keys)
        pending = [key for key in keys if key not in known or known[key].state != READY]
        if not pending or time.monotonic() > deadline_s:
            return pending
        time.sleep(POLL_S)


def draw_watermark() -> bytes:
    """Return a PNG of 480 × 480 px with alpha: an iris, white with dark edges, visible on any background."""
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
