"""How much one source may ask of us. Checked from its header, before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of a source.

    ``max_pixels`` counts width × height × frames that are read. The defaults let a 100 MP camera through; the
    deployment may lower them. ``max_decoder_bytes`` is the memory that a decoder may hold (:mod:`..imaging.memory`),
    which depends on the function. ``max_scene_pixels`` and ``max_scene_bytes`` are the same of a scene: what is made in
    strips, and read by the tiles that a request needs. Of those again ``max_pixels`` are read for one request.
    """

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_frames: int = 500
    max_scene_pixels: int = 4_000_000_000
    max_scene_bytes: int = 5 * 1024**3
    max_decoder_bytes: int = 1_400_000_000

    @property
    def for_scenes(self) -> Limits:
        """What a whole scene is held to."""
        return replace(self, max_bytes=self.max_scene_bytes, max_pixels=self.max_scene_pixels)
