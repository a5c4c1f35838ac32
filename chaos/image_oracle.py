"""What a master and a derivative must look like, made here from the upload by the same imaging code."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import numpy as np
from PIL import Image, UnidentifiedImageError

from darkroom.imaging.formats.probe import probe
from darkroom.imaging.master import make_master
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

from .pictures import MAX_PIXELS, Content

NEAR = 30.0
"""How far the mean colours of a picture and its derivative may be apart, of 255: a crop changes them a little."""


@dataclass(frozen=True, slots=True)
class ImageDigest:
    """The mean colour, red, green and blue from 0 to 255."""

    mean: tuple[float, float, float]

    def like(self, other: ImageDigest) -> bool:
        """Whether both may show the same picture."""
        return all(abs(mine - theirs) <= NEAR for mine, theirs in zip(self.mean, other.mean, strict=True))


def digest(content: Content) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return sha256(content.data).hexdigest()


@cache
def expected_master(data: bytes) -> bytes:
    """The bytes of the master that ``data`` becomes."""
    limits = Limits(max_pixels=MAX_PIXELS)
    return make_master(data, probe(Source.from_bytes(data), limits), limits=limits).body


@cache
def digest_image(data: bytes) -> ImageDigest | None:
    """How a picture looks, None if it cannot be decoded to its end."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    except (UnidentifiedImageError, OSError, SyntaxError):
        return None
    red, green, blue = pixels.mean(axis=(0, 1))
    return ImageDigest((float(red), float(green), float(blue)))


def list_differences(name: str, found: object, wanted: object) -> Iterator[str]:
    """A sentence, if ``found`` is not ``wanted``."""
    if found != wanted:
        yield f"{name} is {found!r}, not {wanted!r}"
