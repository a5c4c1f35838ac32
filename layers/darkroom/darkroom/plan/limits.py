"""How much one source may ask of us. Checked from its header, before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of a source.

    ``max_pixels`` counts width × height × frames that are read. The defaults let a 100 MP camera through and keep a
    render below the memory of the function; the deployment may lower them.
    """

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_frames: int = 500
