"""Where every pixel goes: all arithmetic of a render, done before any pixel is touched.

A :class:`Geometry` is a pure value in pixels. It speaks about the *upright* source (after EXIF orientation) and about
sizes *before* ``rot``, because a render resizes first and turns the small picture after; :attr:`Geometry.size` is what
comes out. The same value can be laid over a second picture of the same scene (a gain map, a picture that a loader has
shrunk) with :meth:`Geometry.on`.

Rules, where CSS and other image services differ:

* nothing is enlarged unless ``up=1``. A cover or fill whose source is smaller than the box keeps the box's aspect ratio
  and becomes smaller; a letterbox keeps the whole box and leaves the picture at its size;
* the box is about the result: with ``rot=90``, ``w`` is the width of the turned picture;
* gravity is about the upright source;
* no side is ever less than 1 px.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import BadOption
from .boxes import Box, Size, rescaled, turned_back, turned_upright
from .model import Crop, Gravity, Plan
from .options import MAX_SIDE_PX

__all__ = ["MAX_SCALED_SIDE_PX", "PLACES", "Box", "Geometry", "Size", "arrange"]

MAX_SCALED_SIDE_PX = 65_535
"""No picture is scaled beyond this before a cover cuts it: a 1 px wide source cannot make a 67-million-pixel column."""

PLACES: dict[str, tuple[float, float]] = {
    "center": (0.5, 0.5),
    "north": (0.5, 0.0),
    "northeast": (1.0, 0.0),
    "east": (1.0, 0.5),
    "southeast": (1.0, 1.0),
    "south": (0.5, 1.0),
    "southwest": (0.0, 1.0),
    "west": (0.0, 0.5),
    "northwest": (0.0, 0.0),
}
"""By compass word, how much of the free room lies to the left and above."""

_SOUGHT = ("attention", "entropy", "face")


@dataclass(frozen=True, slots=True)
class Geometry:
    """The way from a stored picture to the result.

    ``stored``: size in the file. ``orientation``: EXIF, 1–8. ``subject``: the region of the upright picture that is
    kept (crop, trim). ``scaled``: the size it is resized to. ``window``: the part of the scaled picture that a cover
    keeps; where ``seeks`` is ``attention``, ``entropy`` or ``face``, its place is provisional. ``rotate`` (degrees
    clockwise), then ``flop`` (mirror left-right). ``canvas``: the letterbox around the result, without padding.
    """

    stored: Size
    orientation: int
    subject: Box
    scaled: Size
    window: Box | None = None
    seeks: str = ""
    rotate: int = 0
    flop: bool = False
    canvas: Size | None = None

    @property
    def upright(self) -> Size:
        """The source's size as a viewer sees it."""
        return self.stored.turned if self.orientation >= 5 else self.stored

    @property
    def kept(self) -> Size:
        """The size after resize and cover, before ``rot``."""
        return self.window.size if self.window else self.scaled

    @property
    def turned(self) -> Size:
        """The size after ``rot``."""
        return self.kept.turned if self.rotate in (90, 270) else self.kept

    @property
    def size(self) -> Size:
        """The size with the letterbox, without padding."""
        return self.canvas or self.turned

    @property
    def reduction(self) -> float:
        """How many pixels of the upright source become one, on the axis where they are fewer. Below 1 it enlarges."""
        return min(self.subject.width / self.scaled.width, self.subject.height / self.scaled.height)

    @property
    def stored_subject(self) -> Box:
        """``subject`` in the coordinates of the stored picture."""
        return turned_back(self.subject, self.upright, self.orientation)

    @property
    def stored_scaled(self) -> Size:
        """``scaled`` before it is turned upright."""
        return self.scaled.turned if self.orientation >= 5 else self.scaled

    @property
    def stored_window(self) -> Box | None:
        """``window`` before the scaled picture is turned upright."""
        return turned_back(self.window, self.scaled, self.orientation) if self.window else None

    def found(self, window: Box) -> Geometry:
        """This geometry with its window found at ``window`` of the scaled picture before it is turned upright."""
        upright = turned_upright(window, self.stored_scaled, self.orientation)
        return replace(self, window=upright, seeks="")

    def upright_box(self, box: Box) -> Box:
        """``box`` of the stored picture, in the coordinates of the upright one."""
        return turned_upright(box, self.stored, self.orientation)

    def on(self, stored: Size) -> Geometry:
        """This geometry for the same scene stored with another number of pixels; the output stays as large."""
        if stored == self.stored:
            return self
        upright = stored.turned if self.orientation >= 5 else stored
        return replace(self, stored=stored, subject=rescaled(self.subject, self.upright, upright))


def arrange(
    plan: Plan,
    stored: Size,
    orientation: int = 1,
    *,
    subject: Box | None = None,
    max_side_px: int = MAX_SCALED_SIDE_PX,
    max_pixels: int | None = None,
) -> Geometry:
    """The geometry of ``plan`` for a source of ``stored`` size.

    ``subject`` is the region of the upright source to keep where it is known already; it defaults to the plan's crop.
    ``max_side_px`` is the longest side that the output format can hold, with padding, and ``max_pixels`` the largest
    picture that its encoder has memory for: what no box bounds is made to fit. Raises BadOption where the crop lies
    outside of the picture.
    """
    upright = stored.turned if orientation >= 5 else stored
    subject = subject or _cropped(plan.crop, upright)
    placed = Geometry(stored, orientation, subject, subject.size, rotate=plan.rotate, flop=plan.flip == "h")
    turns = plan.rotate in (90, 270)
    upscale = plan.upscale and bool(plan.width or plan.height)
    longest = max(MAX_SIDE_PX, *subject.size) if upscale else max_side_px
    box = _box(plan, longest, max_side_px, turns=turns)
    fit = plan.fit if plan.width and plan.height else "contain"
    if fit == "cover":
        return _covered(placed, box, plan.gravity, upscale=upscale)
    if fit == "fill":
        return replace(placed, scaled=box if upscale else _within(box, subject.size))
    canvas = (box.turned if turns else box) if fit == "letterbox" else None
    scaled = _contained(subject.size, box, upscale=upscale)
    return replace(placed, scaled=_bounded(scaled, max_pixels), canvas=canvas)


def _box(plan: Plan, longest_px: int, max_side_px: int, *, turns: bool) -> Size:
    """The box before ``rot``. A side that is not given is ``longest_px``; no side exceeds what the output can hold."""
    padding = plan.padding
    room = (
        max(1, max_side_px - padding.left - padding.right),
        max(1, max_side_px - padding.top - padding.bottom),
    )
    width, height = (min(side or longest_px, most) for side, most in zip((plan.width, plan.height), room, strict=True))
    return Size(height, width) if turns else Size(width, height)


def _cropped(crop: Crop | None, upright: Size) -> Box:
    """The region that ``crop`` keeps, in whole pixels, clipped to the picture."""
    if crop is None:
        return Box(0, 0, *upright)
    if crop.unit == "pct":
        left, right = (_half_up(edge * upright.width, 100) for edge in (crop.x, crop.x + crop.width))
        top, bottom = (_half_up(edge * upright.height, 100) for edge in (crop.y, crop.y + crop.height))
        left, top = min(left, upright.width - 1), min(top, upright.height - 1)
        right, bottom = min(right, upright.width), min(bottom, upright.height)
        return Box(left, top, max(1, right - left), max(1, bottom - top))
    left, top = int(crop.x), int(crop.y)
    if left >= upright.width or top >= upright.height:
        raise BadOption(
            f"crop lies outside of the picture, which is {upright.width} × {upright.height} px", option="crop"
        )
    return Box(left, top, min(int(crop.width), upright.width - left), min(int(crop.height), upright.height - top))


def _half_up(numerator: float, denominator: int) -> int:
    """``numerator / denominator`` rounded half up, without float noise in the hundredths that options have."""
    return (round(numerator * 100) * 2 + denominator * 100) // (denominator * 200)


def _ratio(side: int, numerator: int, denominator: int) -> int:
    """``side × numerator / denominator`` rounded half up, at least 1."""
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))


def _contained(size: Size, box: Size, *, upscale: bool) -> Size:
    """``size`` scaled to lie inside ``box``."""
    if not upscale and size.width <= box.width and size.height <= box.height:
        return size
    if box.width * size.height <= box.height * size.width:
        return Size(box.width, min(box.height, _ratio(size.height, box.width, size.width)))
    return Size(min(box.width, _ratio(size.width, box.height, size.height)), box.height)


def _bounded(size: Size, max_pixels: int | None) -> Size:
    """``size`` scaled down to at most ``max_pixels``."""
    pixels = size.width * size.height
    if max_pixels is None or pixels <= max_pixels:
        return size
    factor = (max_pixels / pixels) ** 0.5
    return _contained(size, Size(*(max(1, int(side * factor)) for side in size)), upscale=False)


def _within(box: Size, limit: Size) -> Size:
    """``box`` made smaller, at its aspect ratio, until no side is longer than ``limit``'s."""
    return _contained(box, limit, upscale=False)


def _covered(placed: Geometry, box: Size, gravity: Gravity, *, upscale: bool) -> Geometry:
    size = placed.subject.size
    box = _within(box, _largest_cover(size) if upscale else size)
    if box.width * size.height >= box.height * size.width:
        scaled = Size(box.width, max(box.height, _ratio(size.height, box.width, size.width)))
    else:
        scaled = Size(max(box.width, _ratio(size.width, box.height, size.height)), box.height)
    if scaled == box:
        return replace(placed, scaled=scaled)
    seeks = gravity.name if gravity.name in _SOUGHT else ""
    left = _place(scaled.width, box.width, gravity, axis=0)
    top = _place(scaled.height, box.height, gravity, axis=1)
    return replace(placed, scaled=scaled, window=Box(left, top, *box), seeks=seeks)


def _largest_cover(size: Size) -> Size:
    """The largest size a cover may give: that of ``size`` when its longer side is scaled to the limit."""
    longer = max(size)
    return Size(*(_ratio(side, max(MAX_SCALED_SIDE_PX, longer), longer) for side in size))


def _place(scaled: int, kept: int, gravity: Gravity, *, axis: int) -> int:
    """The first pixel of the window on one axis."""
    if gravity.name == "fp":
        centre = (gravity.x, gravity.y)[axis] * scaled
        return min(max(0, round(centre - kept / 2)), scaled - kept)
    return round((scaled - kept) * PLACES.get(gravity.name, (0.5, 0.5))[axis])
