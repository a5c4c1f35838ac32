"""Requests to measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request: ``image`` at ``width`` px in ``form``, a format's name.

    ``quality`` is None for Darkroom's default.
    """

    title: str
    image: str
    width: int
    form: str = "webp"
    quality: int | None = 80


WEBP_12MP = Case("12 MP JPEG to 800 px WebP", "12mp.jpg", 800)
WEBP_2MP = Case("2 MP JPEG to 400 px WebP", "2mp.jpg", 400)
AVIF_12MP = Case("12 MP JPEG to 800 px AVIF", "12mp.jpg", 800, "avif", None)
JPEG_12MP = Case("12 MP JPEG to 800 px JPEG", "12mp.jpg", 800, "jpeg")
