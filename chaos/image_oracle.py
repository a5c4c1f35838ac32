"""Expected masters and derivatives, computed from the upload by the same imaging code."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from hashlib import sha256

import numpy as np
from PIL import Image, UnidentifiedImageError

from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master

from .images import MAX_PIXELS, Content

MAX_DIFFERENCE = 30.0
"""Largest difference of the mean colours of an image and its derivative, of 255. Cropping changes them slightly."""


type Colour = tuple[float, ...]
"""Red, green and blue, from 0 to 255."""


def is_like(one: Colour, other: Colour) -> bool:
    """Return whether images with these mean colours can show the same image."""
    return all(abs(mine - theirs) <= MAX_DIFFERENCE for mine, theirs in zip(one, other, strict=True))


def digest(content: Content) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return sha256(content.data).hexdigest()


@cache
def expected_master(data: bytes) -> bytes:
    """Return the master that ingest must make of ``data``."""
    limits = Limits(max_pixels=MAX_PIXELS)
    return make_master(data, probe(Source.from_bytes(data), limits), limits=limits).body


@cache
def digest_image(data: bytes) -> Colour | None:
    """Compute the mean colour of an image, None if it cannot be decoded completely."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("RGB"), dtype=np.float64)
    except (UnidentifiedImageError, OSError, SyntaxError):
        return None
    return tuple(pixels.mean(axis=(0, 1)).tolist())


def list_differences(name: str, found: object, expected: object) -> Iterator[str]:
    """Describe the difference of ``found`` and ``expected``."""
    if found != expected:
        yield f"{name} is {found!r}, not {expected!r}"
