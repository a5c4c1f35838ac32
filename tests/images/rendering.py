"""Render for tests, and decode what libvips has written with Pillow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from skimage.metrics import structural_similarity

from darkroom.findings import Findings
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan

type Pixels = NDArray[np.uint8]


def made(
    source: bytes | Source,
    *,
    mark: bytes | None = None,
    limits: Limits | None = None,
    known: Findings | None = None,
    **options: Any,
) -> RenderedImage:
    """Render a plan of ``options`` from ``source``, as PNG unless they name a format.

    ``mark`` is the file of the plan's watermark, ``known`` are the findings of ``source``.
    """
    plan = Plan("photo", **({"format": "png"} | options))
    whole = Source.from_bytes(source) if isinstance(source, bytes) else source
    return render(plan, whole, limits=limits or Limits(), watermark=mark, findings=known)


def opened(body: bytes) -> Image.Image:
    """The image as Pillow sees it, decoded whole."""
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def seen(body: bytes) -> Pixels:
    """Return height × width × RGB of an image on white."""
    rich = opened(body).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rich.size, "white"), rich).convert("RGB"))


def rgba(body: bytes) -> Pixels:
    """Height × width × RGBA of an image."""
    return np.asarray(opened(body).convert("RGBA"))


def frames(body: bytes) -> list[Pixels]:
    """Every frame, as RGBA."""
    return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(Image.open(io.BytesIO(body)))]


def durations_ms(body: bytes) -> list[int]:
    """How long each frame shows."""
    image, found = Image.open(io.BytesIO(body)), []
    for frame in ImageSequence.Iterator(image):
        frame.load()
        found.append(int(frame.info.get("duration", 0)))
    return found


def alike(a: Pixels, b: Pixels) -> float:
    """Structural similarity (SSIM) of two images, 1 where they are equal."""
    assert a.shape == b.shape, (a.shape, b.shape)
    side = min(7, *a.shape[:2])
    return float(structural_similarity(a, b, channel_axis=2, win_size=side if side % 2 else side - 1))


def apart(a: Pixels, b: Pixels) -> float:
    """The mean difference of two images in levels of 255."""
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.abs(a.astype(float) - b.astype(float)).mean())
