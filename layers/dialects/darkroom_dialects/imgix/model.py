"""imgix's parameters, parsed."""

from __future__ import annotations

from dataclasses import dataclass, field

from darkroom.plan.option_types import Value


@dataclass(frozen=True, slots=True)
class Rect:
    """A region of the source. ``unit`` is ``px`` or ``pct``. ``place`` is a compass point; x and y are then unused.

    A side of 0 is that of the source.
    """

    unit: str
    x: float
    y: float
    width: float
    height: float
    place: str = ""


@dataclass(slots=True)
class ImgixOptions:
    """All parameters that affect the result, with imgix's defaults. ``values`` has those that map one to one.

    ``width`` and ``height``: px, or a fraction of the source up to 1; 0 is not given. ``crop``: what a crop keeps, best
    first. ``pads``: padding of each side by name, ``""`` for all. ``trim_level`` is None without a threshold.
    """

    width: float = 0
    height: float = 0
    dpr: float = 1.0
    ratio: float = 0.0
    fit: str = "clip"
    crop: tuple[str, ...] = ()
    focus_x: float = 0.5
    focus_y: float = 0.5
    focus_zoom: float = 1.0
    rect: Rect | None = None
    rotate: float = 0.0
    rot_type: str = "straighten"
    flip: str = ""
    orient: int | None = None
    fill: str = "solid"
    fill_colour: str = ""
    background: str = ""
    pads: dict[str, int] = field(default_factory=dict)
    mask: str = ""
    mask_background: str = ""
    corner_radius: int = 0
    trim: str = ""
    trim_colour: str = ""
    trim_tolerance: int = 0
    trim_difference: int = 11
    auto: tuple[str, ...] = ()
    output: str = ""
    metadata: str = ""
    invert: bool = False
    sepia: float = 0.0
    duotone: tuple[str, str] | None = None
    duotone_alpha: float = 1.0
    expires_s: int | None = None
    values: dict[str, Value] = field(default_factory=dict)
