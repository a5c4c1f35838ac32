"""Photographs to play with, from packages that carry some, and a watermark drawn here."""

from __future__ import annotations

import io
from pathlib import Path

from botocore.exceptions import ClientError

from .aws import Cloud

PHOTOGRAPHS = {
    "astronaut.png": "image/png",
    "chelsea.png": "image/png",
    "coffee.png": "image/png",
    "hubble_deep_field.jpg": "image/jpeg",
    "rocket.jpg": "image/jpeg",
}
"""Files of scikit-image's wheel: NASA's are in the public domain, the cat and the coffee are CC0."""

WATERMARK = "watermarks/logo.png"


def provide(cloud: Cloud, bucket: str) -> int:
    """Put what is missing into ``bucket``; how many objects that were. Once there, they are never touched again."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    wanted = {f"masters/samples/{name.replace('_', '-')}": (folder / name, kind) for name, kind in PHOTOGRAPHS.items()}
    missing = {key: found for key, found in wanted.items() if not _exists(cloud, bucket, key)}
    for key, (path, kind) in missing.items():
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType=kind)
    if _exists(cloud, bucket, WATERMARK):
        return len(missing)
    cloud.s3.put_object(Bucket=bucket, Key=WATERMARK, Body=draw_watermark(), ContentType="image/png")
    return len(missing) + 1


def _exists(cloud: Cloud, bucket: str, key: str) -> bool:
    try:
        cloud.s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


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
