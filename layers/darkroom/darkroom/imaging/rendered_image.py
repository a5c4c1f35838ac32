"""The results of a render."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """An encoded image, or data about one.

    ``width`` and ``height`` are those of one frame in px. ``timings_ms`` has the stages ``decode``, ``transform`` and
    ``encode`` (see :func:`darkroom.imaging.render.pipeline.render` for what each covers).
    """

    body: bytes
    content_type: str
    width: int
    height: int
    frames: int = 1
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MezzanineOf:
    """What a mezzanine is: its longer side in px, and the header of its master as text."""

    side_px: int
    master_header: str
