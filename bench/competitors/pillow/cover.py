"""Write Pillow's milliseconds for the requested images for each input line, and the images into a folder.

``python cover.py SOURCE PRESETS FOLDER``: PRESETS is a JSON object of names and options. JPEGs are decoded in draft
mode, as small as possible, and cropped and resized by ImageOps.fit.
"""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

from PIL import Image, ImageOps


def crop_to_cover(data: bytes, width: int, height: int, quality: int) -> bytes:
    """Return the middle of the image as WebP of that size."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (width, height))
    made = ImageOps.fit(ImageOps.exif_transpose(image), (width, height))
    body = io.BytesIO()
    made.save(body, "WEBP", quality=quality)
    return body.getvalue()


def main() -> None:
    """Process lines until the input ends."""
    source, presets, folder = sys.argv[1:]
    data = Path(source).read_bytes()
    for _ in sys.stdin:
        made = {}
        started = time.perf_counter()
        for name, options in json.loads(presets).items():
            made[name] = crop_to_cover(data, options["width"], options["height"], options["quality"])
        ms = (time.perf_counter() - started) * 1000
        for name, body in made.items():
            (Path(folder) / name).write_bytes(body)
        print(json.dumps(ms), flush=True)


if __name__ == "__main__":
    main()
