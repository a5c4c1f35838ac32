"""The geometry of a render, computed before pixels are read.

:class:`Geometry` is a value in pixels of the *upright* source (after EXIF orientation), with sizes *before* ``rot``: a
render resizes first and rotates the small image. :attr:`Geometry.size` is the size of the result.
:meth:`Geometry.for_stored_size` applies it to the same image in another size: a gain map, or an image that the
decoder has shrunk.

Rules that differ in CSS and other image services:

* nothing is enlarged unless ``up=1``. If the source is smaller than the box, cover and fill keep the aspect ratio of
  the box and become smaller; a letterbox keeps the box, with the image in its own size;
* the box is that of the result: with ``rot=90``, ``w`` is the width of the rotated image;
* gravity refers to the upright source;
* sides have at least 1 px.

Options that only dialects set are in :mod:`.placement`, :func:`.resize.resize` and :mod:`.placement`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model import SEARCHED, Extension, Padding, Plan, Scale
from ..options import MAX_SIDE_PX
from .placement import (
    FREE_SPACE_SHARES,
    Box,
    CropRegion,
    EvenCentring,
    Size,
    apply_crop_to,
    center_window,
    compute_crop,
    compute_ellipse_bounds,
    compute_rotation_growth,
    extend_canvas,
    place_window,
    rescale_box,
    rotate_size,
    to_stored_box,
    to_upright_box,
)
from .resize import (
    MAX_SCALED_SIDE_PX,
    RatioRequest,
    ResizeRequest,
    contain,
    cover,
    limit_pixels,
    multiply_padding,
    resize,
    resize_at_ratio,
    shrink_to_fit,
    swap_box,
)

__all__ = ["FREE_SPACE_SHARES", "MAX_SCALED_SIDE_PX", "Box", "Geometry", "Size", "compute_geometry"]


@dataclass(frozen=True, slots=True)
class Geometry:
    """The path from a stored image to the result, in the order of its steps.

    ``stored``: size in the file. ``orientation``: EXIF, 1–8.
    ``subject``: the region of the upright image that crop and trim keep. It is provisional where ``search_area`` is
    set: pixels then decide where in that area it is.
    ``scaled``: the size after the resize.
    ``window``: the part of the scaled image that a cover keeps. Its place is provisional where ``search`` is
    ``attention``, ``entropy`` or ``face``.
    ``rotate`` (degrees clockwise), then ``flop`` (mirror left-right), then ``angle`` (degrees clockwise, on a larger
    canvas).
    ``ellipse``: the bounds of the ellipse that is cut out then.
    ``canvas``: the letterbox or extension around the result, without padding. The result begins at
    ``canvas_position``; None is the middle.
    ``padding``: that of the plan times ``ratio``, the pixel ratio that is left where nothing may be enlarged.
    """

    stored: Size
    orientation: int
    subject: Box
    scaled: Size
    window: Box | None = None
    search: str = ""
    rotate: int = 0
    flop: bool = False
    canvas: Size | None = None
    search_area: Box | None = None
    angle: float = 0.0
    ellipse: Box | None = None
    canvas_position: tuple[int, int] | None = None
    padding: Padding = Padding()
    ratio: float = 1.0

    @property
    def upright(self) -> Size:
        """The size of the upright source."""
        return self.stored.transposed if self.orientation >= 5 else self.stored

    @property
    def cropped_size(self) -> Size:
        """The size after resize and cover, before ``rot``."""
        return self.window.size if self.window else self.scaled

    @property
    def rotated_size(self) -> Size:
        """The size after ``rot``."""
        return self.cropped_size.transposed if self.rotate in (90, 270) else self.cropped_size

    @property
    def angled_size(self) -> Size:
        """The size after the rotation by ``angle``."""
        return rotate_size(self.rotated_size, self.angle) if self.angle else self.rotated_size

    @property
    def image_size(self) -> Size:
        """The size of the image without canvas and padding."""
        return self.ellipse.size if self.ellipse else self.angled_size

    @property
    def size(self) -> Size:
        """The size with the canvas, without padding."""
        return self.canvas or self.image_size

    @property
    def shrink(self) -> float:
        """Pixels of the upright source for each scaled pixel, on the axis with fewer. Below 1 it enlarges."""
        return min(self.subject.width / self.scaled.width, self.subject.height / self.scaled.height)

    def shrink_from(self, stored: Size) -> float:
        """Return :attr:`shrink` for a copy of the stored image in the size ``stored``."""
        return self.shrink * min(stored.width / self.stored.width, stored.height / self.stored.height)

    @property
    def stored_subject(self) -> Box:
        """``subject`` in the coordinates of the stored image."""
        return to_stored_box(self.subject, self.upright, self.orientation)

    @property
    def stored_region(self) -> Box:
        """The part of the stored image to read: ``search_area`` if there is one, or ``subject``."""
        return to_stored_box(self.search_area or self.subject, self.upright, self.orientation)

    @property
    def stored_scaled(self) -> Size:
        """``scaled`` before the image is turned upright."""
        return self.scaled.transposed if self.orientation >= 5 else self.scaled

    @property
    def stored_window(self) -> Box | None:
        """``window`` before the scaled image is turned upright."""
        return to_stored_box(self.window, self.scaled, self.orientation) if self.window else None

    def with_window(self, window: Box) -> Geometry:
        """Return this geometry with the window that a search found in the scaled image as stored."""
        upright = to_upright_box(window, self.stored_scaled, self.orientation)
        return replace(self, window=upright, search="")

    def to_upright(self, box: Box) -> Box:
        """Map ``box`` from the stored image to the upright one."""
        return to_upright_box(box, self.stored, self.orientation)

    def for_stored_size(self, stored: Size) -> Geometry:
        """Return this geometry for the same image in another stored size. The output has the same size."""
        if stored == self.stored:
            return self
        upright = stored.transposed if self.orientation >= 5 else stored
        within = rescale_box(self.search_area, self.upright, upright) if self.search_area else None
        return replace(
            self, stored=stored, subject=rescale_box(self.subject, self.upright, upright), search_area=within
        )


def compute_geometry(
    plan: Plan,
    stored: Size,
    orientation: int = 1,
    *,
    subject: Box | None = None,
    max_side_px: int = MAX_SCALED_SIDE_PX,
    max_pixels: int | None = None,
) -> Geometry:
    """Compute the geometry of ``plan`` for a source of ``stored`` size.

    ``subject``: the region of the upright source to keep, if a trim or faces have determined it; by default, inset,
    crop and ``crop_to`` do. With ``trim_first``, ``crop_to`` applies to it. ``max_side_px``: the longest side, with
    padding, that the output format can hold. ``max_pixels``: the largest image that its encoder has memory for; it
    limits results without a box. Raises BadOption if a crop or an ellipse is outside of the image.
    """
    upright = stored.transposed if orientation >= 5 else stored
    kept = compute_crop(plan, upright) if subject is None else CropRegion(subject)
    if subject is not None and plan.trim_first:
        kept = apply_crop_to(plan, subject)
    if plan.source_side:
        plan = _resolve_source_side(plan, kept.subject.size)
    placed = Geometry(
        stored, orientation, kept.subject, kept.subject.size, search_area=kept.search_area, padding=plan.padding
    )
    placed = replace(placed, rotate=plan.rotate, flop=plan.flip == "h", angle=plan.angle)
    longer = compute_rotation_growth(plan.angle) if plan.angle else 1.0
    room = _subtract_padding(plan.padding, int(max_side_px / longer))
    most = None if max_pixels is None else int(max_pixels / longer**2)
    laid = (
        _resize_by_request(plan, placed, room, most)
        if _needs_resize_request(plan)
        else _resize_to_box(plan, placed, room, most)
    )
    if plan.proportion is not None:
        laid = _apply_proportion(laid, plan.proportion.factor)
    return _add_canvas(plan, laid, max_side_px)


def _resolve_source_side(plan: Plan, size: Size) -> Plan:
    """Return ``plan`` with the missing side of its box set to a side of ``size``, the image before the resize."""
    length = min(MAX_SIDE_PX, size.width if plan.source_side == "w" else size.height)
    return replace(plan, height=length) if plan.width else replace(plan, width=length)


def _subtract_padding(padding: Padding, max_side_px: int) -> Size:
    """Subtract padding from the longest sides of the output."""
    return Size(
        max(1, max_side_px - padding.left - padding.right),
        max(1, max_side_px - padding.top - padding.bottom),
    )


def _needs_resize_request(plan: Plan) -> bool:
    """Return whether sizes follow rules that native options do not have."""
    needs_factors = plan.cover_mode or plan.one_side or plan.scale != Scale() or plan.pixel_ratio != 1 or plan.max_side
    return bool(plan.min_width or plan.min_height or needs_factors)


def _resize_to_box(plan: Plan, placed: Geometry, room: Size, max_pixels: int | None) -> Geometry:
    """Scale by the plan's box. A side that is not given is unlimited. ``placed`` has the size of its subject."""
    size = placed.scaled
    turns = plan.rotate in (90, 270)
    upscale = bool(plan.upscale and (plan.width or plan.height))
    longest = max(MAX_SIDE_PX, *size) if upscale else max(room)
    sides = (min(side or longest, most) for side, most in zip((plan.width, plan.height), room, strict=True))
    box = Size(*sides).transposed if turns else Size(*sides)
    box = swap_box(box, size) if plan.adaptive else box
    fit = plan.fit if plan.width and plan.height else "contain"
    if fit == "cover":
        scaled, kept = cover(size, box, upscale=upscale)
        return _add_window(plan, replace(placed, scaled=scaled), kept)
    if fit == "fill":
        return replace(placed, scaled=box if upscale else shrink_to_fit(box, size))
    scaled = contain(size, box, upscale=upscale)
    if plan.enlarge_only and scaled.width < size.width:
        scaled = size
    return replace(placed, scaled=limit_pixels(scaled, max_pixels))


def _resize_by_request(plan: Plan, placed: Geometry, room: Size, max_pixels: int | None) -> Geometry:
    """Scale by the plan's box, factors and minimum size, and crop to the box."""
    size = placed.subject.size
    turns = plan.rotate in (90, 270)
    zoom = plan.scale[::-1] if turns else plan.scale
    wish = ResizeRequest(_swap_box(plan, size), zoom, _transpose_if(_min_size(plan), turns=turns))
    most = Size(*(min(side, max(MAX_SIDE_PX, *size)) for side in (room.transposed if turns else room)))
    if plan.pixel_ratio != 1 or plan.max_side:
        return _resize_at_ratio(plan, placed, wish, max(most), max_pixels)
    scaled, kept = resize(size, wish, _choose_fit(plan), plan.cover_mode, most, upscale=bool(plan.upscale))
    if scaled == kept:
        return replace(placed, scaled=limit_pixels(scaled, max_pixels))
    return _add_window(plan, replace(placed, scaled=scaled), kept)


def _resize_at_ratio(
    plan: Plan, placed: Geometry, request: ResizeRequest, max_side_px: int, max_pixels: int | None
) -> Geometry:
    """Scale by the plan's box and pixel ratio, within its longest side and ``max_side_px``, that of the output."""
    turns = plan.rotate in (90, 270)
    wanted = RatioRequest(
        request,
        plan.pixel_ratio,
        min(plan.max_side or max_side_px, max_side_px),
        _choose_extension(plan),
        Padding(*(plan.padding[1:] + plan.padding[:1] if turns else plan.padding)),
    )
    sized = resize_at_ratio(placed.subject.size, wanted, _choose_fit(plan), plan.cover_mode, upscale=bool(plan.upscale))
    padding = multiply_padding(plan.padding, sized.ratio)
    placed = replace(placed, scaled=limit_pixels(sized.scaled, max_pixels), padding=padding, ratio=sized.ratio)
    return (
        placed
        if sized.scaled == sized.cropped
        else _add_window(plan, replace(placed, scaled=sized.scaled), sized.cropped)
    )


def _choose_fit(plan: Plan) -> str:
    """Return how the image fills the box; ``one_side`` stretches it."""
    return "fill" if plan.one_side else plan.fit


def _choose_extension(plan: Plan) -> Extension | None:
    """Return the plan's extension. A letterbox is an extension to the box."""
    return Extension() if plan.width and plan.height and plan.fit == "letterbox" else plan.extension


def _swap_box(plan: Plan, size: Size) -> Size:
    """Return the box for a subject of ``size`` before ``rot``; 0 for a side that is not given."""
    box = _transpose_if(Size(plan.width or 0, plan.height or 0), turns=plan.rotate in (90, 270))
    return swap_box(box, size) if plan.adaptive else box


def _min_size(plan: Plan) -> Size:
    return Size(plan.min_width or 0, plan.min_height or 0)


def _transpose_if(size: Size, *, turns: bool) -> Size:
    return size.transposed if turns else size


def _add_window(plan: Plan, placed: Geometry, kept: Size) -> Geometry:
    """Add the window of ``kept`` px that the plan's gravity, focus and offset choose."""
    scaled = placed.scaled
    if kept == scaled:
        return placed
    if plan.focus is not None:
        return replace(placed, window=_place_focus(plan.focus, placed, kept))
    place = place_window(scaled, kept, plan.gravity, *plan.offset, ratio=placed.ratio, even=_choose_centring(plan))
    return replace(placed, window=place, search=plan.gravity.name if plan.gravity.name in SEARCHED else "")


def _choose_centring(plan: Plan) -> EvenCentring | None:
    """Return how a window is centred before ``rot`` and ``flip``."""
    if not plan.even_centre:
        return None
    across, down = plan.rotate in (180, 270), plan.rotate in (90, 180)
    if plan.flip == "h":
        across, down = (across, not down) if plan.rotate in (90, 270) else (not across, down)
    return EvenCentring((across, down))


def _place_focus(focus: tuple[int, int], placed: Geometry, kept: Size) -> Box:
    subject, scaled = placed.subject, placed.scaled
    x = (focus[0] - subject.left) * scaled.width / subject.width
    y = (focus[1] - subject.top) * scaled.height / subject.height
    return Box(center_window(x, scaled.width, kept.width), center_window(y, scaled.height, kept.height), *kept)


def _add_canvas(plan: Plan, geometry: Geometry, max_side_px: int) -> Geometry:
    """Add the ellipse and the canvas. ``max_side_px``: the longest side of the output, with padding."""
    if plan.ellipse is not None:
        geometry = replace(geometry, ellipse=compute_ellipse_bounds(plan.ellipse, geometry.image_size))
    extension = _choose_extension(plan)
    if extension is None:
        return geometry
    turns = plan.rotate in (90, 270)
    request = ResizeRequest(_transpose_if(_swap_box(plan, geometry.subject.size), turns=turns), plan.scale)
    if plan.proportion is not None and plan.proportion.canvas:
        request = request._replace(box=Size(*(int(side * plan.proportion.factor) for side in request.box)))
    even = EvenCentring() if plan.even_centre else None
    target = request.target_at(geometry.ratio)
    room = Size(*(min(side, MAX_SIDE_PX) for side in _subtract_padding(plan.padding, max_side_px)))
    around = extend_canvas(geometry.image_size, target, extension, room, ratio=geometry.ratio, even=even)
    if around is None:
        return geometry
    stand = None if extension == Extension() and not plan.even_centre else (around.left, around.top)
    return replace(geometry, canvas=around.size, canvas_position=stand)


def _apply_proportion(geometry: Geometry, factor: float) -> Geometry:
    """Scale the sides of ``geometry`` by ``factor``, rounded down: thumbor's ``proportion()``.

    A factor that would leave a side of less than 1 px is ignored. The window keeps the same part of the image.
    """
    kept = Size(*(int(side * factor) for side in geometry.cropped_size))
    if min(kept) < 1:
        return geometry
    if geometry.window is None:
        return replace(geometry, scaled=kept)
    across, down = (new / old for new, old in zip(kept, geometry.cropped_size, strict=True))
    scaled = Size(
        max(kept.width, round(geometry.scaled.width * across)), max(kept.height, round(geometry.scaled.height * down))
    )
    left = min(round(geometry.window.left * across), scaled.width - kept.width)
    top = min(round(geometry.window.top * down), scaled.height - kept.height)
    return replace(geometry, scaled=scaled, window=Box(left, top, *kept))
