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

What other services' URL languages can ask for beyond that is in :mod:`.cropping`, :func:`.scaling.wished` and
:mod:`.placing`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .boxes import Box, Size, rescaled, turned_back, turned_upright
from .cropping import Kept, cut_of, kept_of
from .model import Extension, Padding, Plan, Zoom
from .options import MAX_SIDE_PX
from .pixel_ratio import RatioRequest, multiply_padding, resize_at_ratio
from .placing import PLACES, Centring, bounds, canvas, centred, spread, tilted, window
from .scaling import MAX_SCALED_SIDE_PX, ResizeRequest, adapted, bounded, contained, covered, wished, within

__all__ = ["MAX_SCALED_SIDE_PX", "PLACES", "Box", "Geometry", "Size", "arrange"]

_SOUGHT = ("attention", "entropy", "face")


@dataclass(frozen=True, slots=True)
class Geometry:
    """The way from a stored picture to the result.

    ``stored``: size in the file. ``orientation``: EXIF, 1–8. ``subject``: the region of the upright picture that is
    kept (crop, trim); where its place is still to be found by the pixels, it is provisional, and ``within`` the region
    where it is sought. ``scaled``: the size it is resized to. ``window``: the part of the scaled picture that a cover
    keeps; where ``seeks`` is ``attention``, ``entropy`` or ``face``, its place is provisional. ``rotate`` (degrees
    clockwise), then ``flop`` (mirror left-right), then ``angle`` (degrees clockwise, the picture growing). ``oval``:
    the bounds of the ellipse that is cut out then. ``canvas``: the letterbox or extension around the result, without
    padding, in which it begins at ``stand`` (None: in the middle). ``padding``: that of the plan, times ``ratio``, the
    pixel ratio that is left where nothing may be enlarged.
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
    within: Box | None = None
    angle: float = 0.0
    oval: Box | None = None
    stand: tuple[int, int] | None = None
    padding: Padding = Padding()
    ratio: float = 1.0

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
    def tilted(self) -> Size:
        """The size after the turn by an angle."""
        return tilted(self.turned, self.angle)

    @property
    def finished(self) -> Size:
        """The size of the picture itself, without what is put around it."""
        return self.oval.size if self.oval else self.tilted

    @property
    def size(self) -> Size:
        """The size with the letterbox, without padding."""
        return self.canvas or self.finished

    @property
    def reduction(self) -> float:
        """How many pixels of the upright source become one, on the axis where they are fewer. Below 1 it enlarges."""
        return min(self.subject.width / self.scaled.width, self.subject.height / self.scaled.height)

    @property
    def stored_subject(self) -> Box:
        """``subject`` in the coordinates of the stored picture."""
        return turned_back(self.subject, self.upright, self.orientation)

    @property
    def stored_region(self) -> Box:
        """What is read of the stored picture: ``within`` where there is one, ``subject`` else."""
        return turned_back(self.within or self.subject, self.upright, self.orientation)

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
        within = rescaled(self.within, self.upright, upright) if self.within else None
        return replace(self, stored=stored, subject=rescaled(self.subject, self.upright, upright), within=within)


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

    ``subject`` is the region of the upright source to keep where it is known already; it defaults to what the plan's
    inset, crop and cut keep. Of one that a trim has left, a plan with ``trim_first`` keeps what its cut does.
    ``max_side_px`` is the longest side that the output format can hold, with padding, and ``max_pixels`` the largest
    picture that its encoder has memory for: what no box bounds is made to fit. Raises BadOption where the crop, or an
    ellipse, lies outside of the picture.
    """
    upright = stored.turned if orientation >= 5 else stored
    kept = kept_of(plan, upright) if subject is None else Kept(subject)
    if subject is not None and plan.trim_first:
        kept = cut_of(plan, subject)
    if plan.own_side:
        plan = _with_own_side(plan, kept.subject.size)
    placed = Geometry(stored, orientation, kept.subject, kept.subject.size, within=kept.within, padding=plan.padding)
    placed = replace(placed, rotate=plan.rotate, flop=plan.flip == "h", angle=plan.angle)
    longer = spread(plan.angle) if plan.angle else 1.0
    room = _room(plan.padding, int(max_side_px / longer))
    most = None if max_pixels is None else int(max_pixels / longer**2)
    laid = _by_wish(plan, placed, room, most) if _has_wishes(plan) else _by_box(plan, placed, room, most)
    if plan.proportion is not None:
        from .proportions import reduced  # only other URL languages ask for it

        laid = reduced(laid, plan.proportion.factor)
    return _mounted(plan, laid, Size(*(min(side, MAX_SIDE_PX) for side in _room(plan.padding, max_side_px))))


def _with_own_side(plan: Plan, size: Size) -> Plan:
    """``plan`` with the missing side of its box, which is a side of ``size``, the picture before the resize."""
    length = min(MAX_SIDE_PX, size.width if plan.own_side == "w" else size.height)
    return replace(plan, height=length) if plan.width else replace(plan, width=length)


def _room(padding: Padding, max_side_px: int) -> Size:
    """What padding leaves of the longest sides that the output can hold."""
    return Size(
        max(1, max_side_px - padding.left - padding.right),
        max(1, max_side_px - padding.top - padding.bottom),
    )


def _has_wishes(plan: Plan) -> bool:
    """Whether sizes follow rules that native options do not have."""
    needs_factors = plan.covering or plan.one_side or plan.zoom != Zoom() or plan.pixel_ratio != 1 or plan.max_side
    return bool(plan.min_width or plan.min_height or needs_factors)


def _by_box(plan: Plan, placed: Geometry, room: Size, max_pixels: int | None) -> Geometry:
    """Scaled by the plan's box. A side that is not given is as long as can be."""
    size = placed.subject.size
    turns = plan.rotate in (90, 270)
    upscale = plan.upscale and bool(plan.width or plan.height)
    longest = max(MAX_SIDE_PX, *size) if upscale else max(room)
    sides = (min(side or longest, most) for side, most in zip((plan.width, plan.height), room, strict=True))
    box = Size(*sides).turned if turns else Size(*sides)
    box = adapted(box, size) if plan.adapt else box
    fit = plan.fit if plan.width and plan.height else "contain"
    if fit == "cover":
        scaled, kept = covered(size, box, upscale=upscale)
        return _windowed(plan, replace(placed, scaled=scaled), kept)
    if fit == "fill":
        return replace(placed, scaled=box if upscale else within(box, size))
    scaled = contained(size, box, upscale=upscale)
    if plan.only_grow and scaled.width < size.width:
        scaled = size
    return replace(placed, scaled=bounded(scaled, max_pixels))


def _by_wish(plan: Plan, placed: Geometry, room: Size, max_pixels: int | None) -> Geometry:
    """Scaled by the plan's box, its factors and the least sides; what is then larger than the box, is cut to it."""
    size = placed.subject.size
    turns = plan.rotate in (90, 270)
    zoom = plan.zoom[::-1] if turns else plan.zoom
    wish = ResizeRequest(_sides(plan, size), zoom, _turned(_least(plan), turns=turns))
    most = Size(*(min(side, max(MAX_SIDE_PX, *size)) for side in (room.turned if turns else room)))
    if plan.pixel_ratio != 1 or plan.max_side:
        return _at_ratio(plan, placed, wish, max(most), max_pixels)
    scaled, kept = wished(size, wish, _fit(plan), plan.covering, most, upscale=plan.upscale)
    if scaled == kept:
        return replace(placed, scaled=bounded(scaled, max_pixels))
    return _windowed(plan, replace(placed, scaled=scaled), kept)


def _at_ratio(
    plan: Plan, placed: Geometry, request: ResizeRequest, max_side_px: int, max_pixels: int | None
) -> Geometry:
    """Scaled by the plan's box and pixel ratio, within its longest side and ``max_side_px``, the output's."""
    turns = plan.rotate in (90, 270)
    wanted = RatioRequest(
        request,
        plan.pixel_ratio,
        min(plan.max_side or max_side_px, max_side_px),
        _extension(plan),
        Padding(*(plan.padding[1:] + plan.padding[:1] if turns else plan.padding)),
    )
    sized = resize_at_ratio(placed.subject.size, wanted, _fit(plan), plan.covering, upscale=plan.upscale)
    padding = multiply_padding(plan.padding, sized.ratio)
    placed = replace(placed, scaled=bounded(sized.scaled, max_pixels), padding=padding, ratio=sized.ratio)
    return placed if sized.scaled == sized.kept else _windowed(plan, replace(placed, scaled=sized.scaled), sized.kept)


def _fit(plan: Plan) -> str:
    """How the box is filled; with ``one_side`` it is stretched to."""
    return "fill" if plan.one_side else plan.fit


def _extension(plan: Plan) -> Extension | None:
    """What is put around the picture; a letterbox is one of both sides."""
    return Extension() if plan.width and plan.height and plan.fit == "letterbox" else plan.extension


def _sides(plan: Plan, size: Size) -> Size:
    """The box for a subject of ``size`` before ``rot``, 0 for a side that is not given."""
    box = _turned(Size(plan.width or 0, plan.height or 0), turns=plan.rotate in (90, 270))
    return adapted(box, size) if plan.adapt else box


def _least(plan: Plan) -> Size:
    return Size(plan.min_width or 0, plan.min_height or 0)


def _turned(size: Size, *, turns: bool) -> Size:
    return size.turned if turns else size


def _windowed(plan: Plan, placed: Geometry, kept: Size) -> Geometry:
    """``placed`` with the window of ``kept`` px that the plan's gravity, focus and offset choose."""
    scaled = placed.scaled
    if kept == scaled:
        return placed
    if plan.focus is not None:
        return replace(placed, window=_focused(plan.focus, placed, kept))
    place = window(scaled, kept, plan.gravity, *plan.offset, ratio=placed.ratio, even=_centring(plan))
    return replace(placed, window=place, seeks=plan.gravity.name if plan.gravity.name in _SOUGHT else "")


def _centring(plan: Plan) -> Centring | None:
    """How a window is centred before ``rot`` and ``flip``."""
    if not plan.even_centre:
        return None
    across, down = plan.rotate in (180, 270), plan.rotate in (90, 180)
    if plan.flip == "h":
        across, down = (across, not down) if plan.rotate in (90, 270) else (not across, down)
    return Centring((across, down))


def _focused(focus: tuple[int, int], placed: Geometry, kept: Size) -> Box:
    subject, scaled = placed.subject, placed.scaled
    x = (focus[0] - subject.left) * scaled.width / subject.width
    y = (focus[1] - subject.top) * scaled.height / subject.height
    return Box(centred(x, scaled.width, kept.width), centred(y, scaled.height, kept.height), *kept)


def _mounted(plan: Plan, laid: Geometry, room: Size) -> Geometry:
    """``laid`` with the ellipse that is cut out of it, and with its canvas."""
    if plan.ellipse is not None:
        laid = replace(laid, oval=bounds(plan.ellipse, laid.finished))
    extension = _extension(plan)
    if extension is None:
        return laid
    turns = plan.rotate in (90, 270)
    request = ResizeRequest(_turned(_sides(plan, laid.subject.size), turns=turns), plan.zoom)
    if plan.proportion is not None and plan.proportion.canvas:
        request = request._replace(box=Size(*(int(side * plan.proportion.factor) for side in request.box)))
    even = Centring() if plan.even_centre else None
    target = request.target_at(laid.ratio)
    around = canvas(laid.finished, target, extension, room, ratio=laid.ratio, even=even)
    if around is None:
        return laid
    stand = None if extension == Extension() and not plan.even_centre else (around.left, around.top)
    return replace(laid, canvas=around.size, stand=stand)
