"""What the steps of a render context on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyvips

from ...plan.geometry.layout import Geometry
from ...plan.model import Plan
from ..formats.encoder_options import Effort
from ..formats.probe import Cicp
from ..formats.registry import TargetFormat

if TYPE_CHECKING:
    from ...findings import Findings

IN_MEMORY_PIXELS = 32_000_000
"""Finished pictures up to here are held in memory (100 MB of RGB), larger ones stream from decoder to encoder."""

UNBUFFERED_LINES = 1024
"""More lines than libvips makes at once."""
_THREADS = "vips-concurrency"
"""The field of an image by which libvips takes another number of threads for it."""


@dataclass(slots=True)
class RenderContext:
    """A render on its way through the pipeline.

    ``frames`` are the pictures so far, one for a still. Until :mod:`.steps.develop` they are sequential: each line is
    read once, in order. ``geometry`` is about a frame as it was loaded; steps that look at pixels refine it.
    ``delays_ms`` and ``loop`` are those of an animation. ``cicp`` is the colour space where no ICC profile says it.
    ``findings`` is what is known of the source. ``unread`` is the picture as it was loaded, until it has been read.
    ``touched``: whether any pixel may differ from the source's. ``pace`` is that of the encoders.
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
    findings: Findings | None = None
    unread: pyvips.Image | None = None
    touched: bool = False
    effort: Effort = "fast"

    def map_frames(self, change: Callable[[pyvips.Image], pyvips.Image]) -> None:
        """Put every frame through ``change``."""
        changed = [change(frame) for frame in self.frames]
        self.touched = self.touched or any(new is not old for new, old in zip(changed, self.frames, strict=True))
        self.frames = changed

    @property
    def pixels(self) -> int:
        """The number of pixels of all frames."""
        return sum(frame.width * frame.height for frame in self.frames)

    @property
    def is_streamed(self) -> bool:
        """Whether the picture is too large to be held: it is decoded while it is encoded, once."""
        return len(self.frames) == 1 and self.pixels > IN_MEMORY_PIXELS

    def copy_to_memory(self) -> None:
        """Read all frames into memory, in their order, so that they can be read again and in any order.

        The source is read to its end, even where a crop needs less: damage behind it is damage all the same.
        """
        if self.unread is not None and not self._includes_last_line:
            self.frames = [_copy_with_last_line(self.unread, frame) for frame in self.frames]
        else:
            self.frames = [frame.copy_memory() for frame in self.frames]
        self.unread = None

    @property
    def _includes_last_line(self) -> bool:
        """Whether the last line of the stored picture is part of what is kept."""
        geometry = self.geometry
        region, window = geometry.stored_region, geometry.stored_window
        within = window is None or window.top + window.height == geometry.stored_scaled.height
        return within and region.top + region.height == geometry.stored.height


def _copy_with_last_line(loaded: pyvips.Image, frame: pyvips.Image) -> pyvips.Image:
    """``frame`` in memory, and one pixel of the last line of ``loaded`` read in the same pass: libvips has only one.

    That pixel comes after the frame for certain: by one thread, in a strip of its own. A line that was passed cannot be
    read any more.
    """
    last = loaded.crop(0, loaded.height - 1, 1, 1).extract_band(0).cast(frame.format)
    apart = frame.embed(0, 0, frame.width, frame.height + UNBUFFERED_LINES).join(last, "vertical", expand=True).copy()
    apart.set_type(pyvips.GValue.gint_type, _THREADS, 1)
    held = apart.copy_memory().crop(0, 0, frame.width, frame.height).copy()
    held.remove(_THREADS)
    return held


type Step = Callable[[RenderContext], None]
"""One verb. A step with nothing to do returns at once."""
