"""What the steps of a render work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyvips

from ..plan.geometry import Geometry
from ..plan.model import Plan
from .formats import Target
from .header import Cicp

IN_MEMORY_PIXELS = 32_000_000
"""Finished pictures up to here are held in memory (100 MB of RGB), larger ones stream from decoder to encoder."""


@dataclass(slots=True)
class Work:
    """A render on its way through the pipeline.

    ``frames`` are the pictures so far, one for a still. Until :mod:`.steps.develop` they are sequential: each line is
    read once, in order. ``delays_ms`` and ``loop`` are those of an animation. ``cicp`` is the
    colour space where no ICC profile says it. ``geometry`` is about a frame as it was
    loaded; steps that look at pixels refine it. ``touched``: whether any pixel may differ from the source's.
    """

    plan: Plan
    target: Target
    geometry: Geometry
    frames: list[pyvips.Image]
    delays_ms: list[int] = field(default_factory=list)
    loop: int = 0
    cicp: Cicp | None = None
    watermark: bytes | None = None
    touched: bool = False

    def each(self, change: Callable[[pyvips.Image], pyvips.Image]) -> None:
        """Put every frame through ``change``."""
        changed = [change(frame) for frame in self.frames]
        self.touched = self.touched or any(new is not old for new, old in zip(changed, self.frames, strict=True))
        self.frames = changed

    @property
    def pixels(self) -> int:
        """The number of pixels of all frames."""
        return sum(frame.width * frame.height for frame in self.frames)

    @property
    def streams(self) -> bool:
        """Whether the picture is too large to be held: it is decoded while it is encoded, once."""
        return len(self.frames) == 1 and self.pixels > IN_MEMORY_PIXELS

    def hold(self) -> None:
        """Read all frames into memory, in their order, so that they can be read again and in any order."""
        self.frames = [frame.copy_memory() for frame in self.frames]


type Step = Callable[[Work], None]
"""One verb. A step with nothing to do returns at once."""
