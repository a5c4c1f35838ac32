"""Sources of docs/guides/gallery.md: photographs of scikit-image's wheel, what is made of them, and their findings."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from darkroom.findings import (
    CUTOUT,
    FACES,
    OBJECTS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Findings,
    Region,
    TextLine,
)
from local.golden import label_samples

ASTRONAUT, COFFEE = "astronaut.png", "coffee.png"

TEXTS = {
    ASTRONAUT: (Region(0.545, 0.665, 0.098, 0.078), Region(0.262, 0.68, 0.148, 0.146), Region(0.822, 0.4, 0.04, 0.03))
}
"""Where a photograph has text: name tag, patch, and the model of a rocket."""

ROCKET = {ASTRONAUT: Region(0.69, 0.0, 0.21, 0.55)}

NOISE_LEVELS = 18
"""Standard deviation of the grain, in levels of 255."""

type Pixels = NDArray[np.float64]


@cache
def load_source(name: str) -> bytes:
    """Return the bytes of a photograph, or of a source that is made for the page."""
    import skimage

    return MADE[name]() if name in MADE else (Path(skimage.__file__).parent / "data" / name).read_bytes()


def _open(name: str) -> Image.Image:
    return Image.open(io.BytesIO(load_source(name))).convert("RGB")


def _change(name: str, change: Callable[[Pixels], Pixels]) -> bytes:
    """Return a photograph as PNG after a change of its levels, which are from 0 to 255."""
    levels = change(np.asarray(_open(name), np.float64))
    return _encode(Image.fromarray(np.rint(levels).clip(0, 255).astype(np.uint8)))


def _encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _draw_frame() -> bytes:
    """Return a photograph with a white border."""
    framed = Image.new("RGB", (640, 440), "white")
    framed.paste(_open(COFFEE), (20, 20))
    return _encode(framed)


def _draw_slides() -> bytes:
    """Return an animation of three photographs that ends after two rounds."""
    frames = [_open(name).resize((240, 160)) for name in (COFFEE, "chelsea.png", "rocket.jpg")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=800, loop=1)
    return out.getvalue()


def _add_noise(levels: Pixels) -> Pixels:
    return levels + np.random.default_rng(1).normal(0, NOISE_LEVELS, levels.shape)


MADE: Mapping[str, Callable[[], bytes]] = {
    "blue.png": lambda: _change("camera.png", lambda levels: levels * (0.8, 0.92, 1)),
    "dim.png": lambda: _change(COFFEE, lambda levels: 20 + levels * (0.45, 0.42, 0.36)),
    "framed.png": _draw_frame,
    "noisy.png": lambda: _change(COFFEE, _add_noise),
    "slides.gif": _draw_slides,
}
"""Sources that are made for the page."""


def mark_findings(name: str) -> Findings:
    """Return findings that were marked by hand: models would have to be downloaded."""
    faces = next((golden.faces for golden in label_samples() if golden.key == name), None) or ()
    rockets = [DetectedObject("rocket", ROCKET[name], 1)] if name in ROCKET else []
    found = (
        Finding(FACES, "hand", "1", faces=tuple(Face(face, 1) for face in faces)),
        Finding(TEXT, "hand", "1", lines=tuple(_mark_text(region) for region in TEXTS.get(name, ()))),
        Finding(OBJECTS, "hand", "1", objects=tuple(rockets), classes=("rocket",)),
        Finding(CUTOUT, "hand", "1", raster=_draw_outline()),
    )
    return Findings("1", "etag", {finding.task: finding for finding in found})


def _mark_text(region: Region) -> TextLine:
    left, top, right, bottom = region.left, region.top, region.left + region.width, region.top + region.height
    return TextLine(((left, top), (right, top), (right, bottom), (left, bottom)), "text", 1, ())


@cache
def _draw_outline() -> bytes:
    """Return the coverage of :data:`COFFEE` by saucer, cup and spoon."""
    raster = Image.new("L", (600, 400))
    draw = ImageDraw.Draw(raster)
    draw.ellipse((77, 68, 479, 388), fill=255)
    draw.ellipse((173, 18, 408, 208), fill=255)
    draw.polygon(((395, 72), (412, 66), (424, 72), (418, 100), (400, 180), (380, 190)), fill=255)
    return _encode(raster)
