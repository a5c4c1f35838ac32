"""How a page is rendered: what requests of the ``rendered`` resources ask for (PS3.18, 8.3.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .voi import Voi

JPEG, PNG = "image/jpeg", "image/png"
MAX_VIEWPORT_PX = 4096
DEFAULT_QUALITY = 90


class Region(NamedTuple):
    """Part of an image in px."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a page is rendered.

    ``voi`` is the requested window; ``preset`` the number of one of the file, from 1, 0 for the first. ``viewport`` is
    the box that the image fits into, without one the image has its own size. ``region`` is what is shown, by default
    all.
    """

    media_type: str = JPEG
    voi: Voi | None = None
    preset: int = 0
    viewport: tuple[int, int] | None = None
    region: Region | None = None
    quality: int = DEFAULT_QUALITY
    overlays: bool = False
