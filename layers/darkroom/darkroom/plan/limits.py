"""Limits of a source, checked from its header before pixels are decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of a source.

    ``max_pixels`` counts width × height × frames that are read. The defaults allow a 100 MP camera; the deployment may
    lower them. ``max_decoder_bytes`` is the memory that a decoder may use, which depends on the function.
    ``max_scene_pixels`` and ``max_scene_bytes`` apply to large images, which are split into strips. A request reads at
    most ``max_pixels`` of one. The names are stored in error markers.
    """

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_frames: int = 500
    max_scene_pixels: int = 4_000_000_000
    max_scene_bytes: int = 5 * 1024**3
    max_decoder_bytes: int = 1_400_000_000

    @property
    def for_scenes(self) -> Limits:
        """The limits of a large image as a whole."""
        return replace(self, max_bytes=self.max_scene_bytes, max_pixels=self.max_scene_pixels)
