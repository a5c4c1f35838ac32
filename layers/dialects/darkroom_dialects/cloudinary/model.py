"""Cloudinary's transformations, parsed."""

from __future__ import annotations

from dataclasses import dataclass, field

from darkroom.plan.model import Matrix
from darkroom.plan.option_types import Value

from ..common.validate import PlanValues


@dataclass(slots=True)
class Resize:
    """The resize of one component. ``mode`` is the value of ``c``, ``scale`` if it is empty.

    ``width``, ``height``, ``x`` and ``y``: px, or fractions of the source where ``is_share``; a side of 0 is not given.
    ``ratio`` is width by height, 0 if not given.
    """

    mode: str = ""
    width: float = 0
    height: float = 0
    x: float = 0
    y: float = 0
    ratio: float = 0.0
    dpr: float = 1.0
    gravity: str = ""
    is_share: bool = False
    is_px: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the component does not resize."""
        return not (self.mode or self.width or self.height or self.ratio)

    @property
    def has_ratio_only(self) -> bool:
        return bool(self.ratio) and not (self.width or self.height)


@dataclass(slots=True)
class CloudinaryOptions(PlanValues):
    """Transformations of a URL. ``resizes`` has one entry for each component, ``values`` what maps one to one.

    ``turned_in`` is the number of the component with a rotation or flip, None without one. ``tones`` are matrices in
    the order of the URL.
    """

    resizes: list[Resize] = field(default_factory=list)
    turned_in: int | None = None
    degrees: int = 0
    angle: int = 0
    flip: str = ""
    background: str = ""
    colour: str = "000000"
    colorize: float = 0.0
    tones: list[Matrix] = field(default_factory=list)
    output: str = ""
    metadata: str = ""
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def resize(self) -> Resize:
        """Return the resize of the component that is parsed."""
        return self.resizes[-1]
