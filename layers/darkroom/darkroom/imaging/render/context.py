"""The state of one render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import pyvips

from ...plan.geometry.layout import Geometry
from ...plan.model import DEFAULT_QUALITY, DefaultQuality, Plan
from ..colour.convert import BOX_GAP
from ..formats.image_format import Effort
from ..formats.probe import Cicp
from ..formats.registry import TargetFormat

if TYPE_CHECKING:
    from ...findings import Findings
    from ..formats.metadata.rights import Rights

IN_MEMORY_PIXELS = 32_000_000
"""Images of up to this size are held in memory (100 MB of RGB). Larger ones stream from decoder to encoder."""

UNBUFFERED_LINES = 1024
"""More lines than libvips computes at once."""
_THREADS = "vips-concurrency"
"""The metadata field that sets libvips' number of threads for an image."""


class Correction(NamedTuple):
    """``black`` becomes 0, then the light is multiplied by ``exposure``, and that of each channel by ``gains``."""

    black: float = 0.0
    exposure: float = 1.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(slots=True)
class RenderContext:
    """The state of one render, which the steps change.

    ``frames`` are the current images, one for a still. Until :func:`.pixels.materialise` they are sequential: each line
    is read once, in order. ``geometry`` refers to a frame as it was loaded; steps that analyse pixels refine it.
    ``delays_ms`` and ``loop`` are those of an animation. ``cicp`` is the colour space where no ICC profile gives it.
    ``overlays`` are the files of overlays by name, ``findings`` are those of the source. ``unread`` is the image as it
    was loaded, until it has been read. ``touched``: whether any pixel may differ from the source's. ``gap`` is the
    reduction that the resize leaves to Lanczos. ``effort`` is that of the encoders, ``default_quality`` the quality of
    a plan without one. ``rights`` are written into the result. ``correction`` is that of an enhanced plan, ``raster``
    the decoded one of a cut-out.
    """

    plan: Plan
    target: TargetFormat
    geometry: Geometry
    frames: list[pyvips.Image]
    delays_ms: list[int] = field(default_factory=list)
    loop: int = 0
    cicp: Cicp | None = None
    watermark: bytes | None = None
    second_watermark: bytes | None = None
    overlays: Mapping[str, bytes] = field(default_factory=dict)
    findings: Findings | None = None
    unread: pyvips.Image | None = None
    touched: bool = False
    gap: float = BOX_GAP
    effort: Effort = "fast"
    default_quality: DefaultQuality = DEFAULT_QUALITY
    rights: Rights | None = None
    correction: Correction | None = None
    raster: pyvips.Image | None = None

    def map_frames(self, change: Callable[[pyvips.Image], pyvips.Image]) -> None:
        """Replace every frame by ``change`` of it."""
        changed = [change(frame) for frame in self.frames]
        self.touched = self.touched or any(new is not old for new, old in zip(changed, self.frames, strict=True))
        self.frames = changed

    @property
    def pixels(self) -> int:
        """The number of pixels of all frames."""
        return sum(frame.width * frame.height for frame in self.frames)

    @property
    def is_streamed(self) -> bool:
        """Whether the image is too large to be held in memory: it is decoded once, while it is encoded."""
        return len(self.frames) == 1 and self.pixels > IN_MEMORY_PIXELS

    def copy_to_memory(self) -> None:
        """Read all frames into memory, in order, for random access.

        The source is read to its end, even where a crop needs less: damage in the rest of it is reported all the same.
        """
        if self.unread is not None and not self._includes_last_line:
            self.frames = [_copy_with_last_line(self.unread, frame) for frame in self.frames]
        else:
            self.frames = [frame.copy_memory() for frame in self.frames]
        self.unread = None

    @property
    def _includes_last_line(self) -> bool:
        """Whether the last line of the stored image is part of the crop."""
        geometry = self.geometry
        region, window = geometry.stored_region, geometry.stored_window
        within = window is None or window.top + window.height == geometry.stored_scaled.height
        return within and region.top + region.height == geometry.stored.height


def _copy_with_last_line(loaded: pyvips.Image, frame: pyvips.Image) -> pyvips.Image:
    """Copy ``frame`` to memory, and read a pixel of the last line of ``loaded`` in the same, only pass.

    That pixel has to be read after the frame, since earlier lines are no longer available then: it is read by one
    thread, in a strip of its own.
    """
    last = loaded.crop(0, loaded.height - 1, 1, 1).extract_band(0).cast(frame.format)
    apart = frame.embed(0, 0, frame.width, frame.height + UNBUFFERED_LINES).join(last, "vertical", expand=True).copy()
    apart.set_type(pyvips.GValue.gint_type, _THREADS, 1)
    held = apart.copy_memory().crop(0, 0, frame.width, frame.height).copy()
    held.remove(_THREADS)
    return held


type Step = Callable[[RenderContext], None]
"""A processing step. It returns at once where there is nothing to do."""
