"""Convert imgproxy's options to values of ours."""

from __future__ import annotations

from darkroom.overlays import FILES_BELOW
from darkroom.overlays.language import Measure, Overlay, format_overlays
from darkroom.plan.compound_types import MAX_LENGTH_PX, MAX_LEVEL
from darkroom.plan.model import (
    IDENTITY,
    SOURCE_FORMATS,
    CropTo,
    Extension,
    Gravity,
    Matrix,
    Offset,
    Padding,
    Scale,
    TrimOptions,
    Watermark,
    WatermarkLayout,
)
from darkroom.plan.option_types import Value
from darkroom.plan.options import MAX_SIDE_PX

from ..common.anchor import Anchor
from ..common.matrices import compose, linear, round_matrix, saturation
from ..common.settings import DialectSettings
from ..common.validate import bad_option
from ..common.watermark import find_overlay, to_measure
from .model import ExtendOptions, ImgproxyOptions

_FITS: dict[str, tuple[str, str]] = {
    "fit": ("contain", ""),
    "fill": ("cover", "clip"),
    "fill-down": ("cover", ""),
    "force": ("fill", ""),
    "auto": ("cover", "flex"),
}
"""Our ``fit`` and ``cov`` of each resizing type."""


TEXT_SIZE = Measure(16, is_px=True)
"""The font size of ``watermark_text``."""

_TRANSPARENT = "ff00ff"
"""The colour with which ``trim`` removes transparent margins."""

_NOISE = 1e-6
"""In px: rounding errors of whole numbers."""


def convert_options(options: ImgproxyOptions, key: str, settings: DialectSettings) -> dict[str, Value]:
    """Return option values by short name. Raises BadOption for what our options cannot express."""
    if options.raw:
        return {"skip": ("all",), **_convert_file_name(options, key)}
    return {
        **_convert_crop(options),
        **_convert_sizes(options),
        **_convert_fit(options),
        **_convert_extend(options),
        **_convert_rotation(options),
        **_convert_effects(options),
        **_convert_tones(options),
        **_convert_watermark(options, settings),
        **_convert_output(options),
        **_convert_file_name(options, key),
    }


def _convert_crop(options: ImgproxyOptions) -> dict[str, Value]:
    """Convert ``crop`` and ``trim``. ``crop`` refers to the rotated image, in lengths that ``dpr`` does not scale."""
    values: dict[str, Value] = {}
    width, height = (_crop_side(side) for side in (options.crop_width, options.crop_height))
    if width or height:
        anchor = _anchor_before_rotation(options.crop_gravity or options.gravity, options)
        if options.rotate % 180:
            width, height = height, width
        values["cut"] = _cut(width, height, anchor)
    trim = options.trim
    if trim.threshold is not None:
        level = min(_round4(trim.threshold), MAX_LEVEL)
        values["trim"] = min(100, max(1, round(level)))
        equal = "h" * trim.equal_x + "v" * trim.equal_y
        exact = 0.0 if level in (0, values["trim"]) else level
        colour = f"{trim.colour}00" if trim.colour == _TRANSPARENT else trim.colour
        values["trimx"] = TrimOptions(colour=colour, equal=equal, level=exact)
        values["tfirst"] = "cut" in values
    return values


def _crop_side(side: float) -> float:
    return float(int(side)) if side >= 1 else max(_round4(side), 0.0001) if side else 0.0


def _cut(width: float, height: float, anchor: Anchor) -> CropTo:
    if anchor.word == "fp":
        return CropTo(width, height, "fp", _round4(anchor.x), _round4(anchor.y))
    return CropTo(width, height, anchor.word, dx=_round_length(anchor.x), dy=_round_length(anchor.y))


def _anchor_before_rotation(anchor: Anchor, options: ImgproxyOptions) -> Anchor:
    return anchor.before_rotation(options.rotate, flip_x=options.flip_x, flip_y=options.flip_y)


def _convert_sizes(options: ImgproxyOptions) -> dict[str, Value]:
    """Convert sizes. ``dpr`` and an even ``zoom`` are multiplied into the box if that is the same for every source."""
    values: dict[str, Value] = {"even": True}
    ratio, zoom = options.dpr, (options.zoom_x, options.zoom_y)
    sides = (options.width, options.height)
    into_box = 1.0
    stretched = options.resizing == "force" and not all(sides)
    if any(sides) and not stretched and zoom[0] == zoom[1] and _is_whole(sides, zoom[0]):
        into_box, zoom = zoom[0], (1.0, 1.0)
    if _scales_with_box(options) and _is_whole(sides, into_box * ratio):
        into_box, ratio = into_box * ratio, 1.0
    boxed = {"w": options.width, "h": options.height}
    values |= {short: _side(side, into_box) for short, side in boxed.items() if side}
    least = {"minw": options.min_width, "minh": options.min_height}
    values |= {short: side for short, side in least.items() if side}
    if ratio != 1:
        values["ratio"] = max(_round4(ratio), 0.0001)
    if zoom != (1.0, 1.0):
        values["zoom"] = Scale(*map(_round4, zoom))
    if options.enlarge:
        values["up"] = True
    values["one"] = options.resizing == "force"
    if options.max_side and not _is_within(options):
        values["most"] = min(options.max_side, MAX_LENGTH_PX)
    return values


def _scales_with_box(options: ImgproxyOptions) -> bool:
    """Return whether a box times ``dpr`` gives imgproxy's result for every source."""
    one = not (options.width and options.height)
    contains = options.resizing == "fit" or (one and options.resizing != "force")
    scaled = (options.min_width, options.min_height, *options.padding, options.watermark.opacity, options.max_side)
    extended = options.extend.enabled or options.extend_ratio.enabled
    even_zoom = options.zoom_x == options.zoom_y
    return contains and not any(scaled) and not extended and even_zoom and bool(options.width or options.height)


def _is_whole(sides: tuple[int, int], factor: float) -> bool:
    """Return whether sides times ``factor`` are whole numbers of pixels."""
    return all(abs(side * factor - round(side * factor)) < _NOISE for side in sides)


def _is_within(options: ImgproxyOptions) -> bool:
    """Return whether the box alone keeps the result within ``max_result_dimension``."""
    sides = (options.width, options.height)
    factor = max(1.0, options.dpr) * max(options.zoom_x, options.zoom_y)
    grown = (
        options.min_width,
        options.min_height,
        *options.padding,
        options.extend.enabled,
        options.extend_ratio.enabled,
    )
    return all(sides) and not any(grown) and max(sides) * factor <= options.max_side


def _side(side: int, scale: float) -> int:
    """Scale ``side`` within our range. Sides beyond it are left to be refused."""
    return side if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, round(side * scale)))


def _convert_fit(options: ImgproxyOptions) -> dict[str, Value]:
    fit, covering = _FITS[options.resizing]
    anchor = _anchor_before_rotation(options.gravity, options)
    values: dict[str, Value] = {
        "fit": fit,
        "g": Gravity("fp", _round2(anchor.x), _round2(anchor.y)) if anchor.word == "fp" else Gravity(anchor.word),
        "off": Offset(*_offsets(anchor)),
    }
    if covering and not (covering == "clip" and options.enlarge):
        values["cov"] = covering
    return values


def _convert_extend(options: ImgproxyOptions) -> dict[str, Value]:
    """Convert extensions. ``extend`` takes precedence over ``extend_aspect_ratio``: the box has its own ratio."""
    extend: ExtendOptions = options.extend if options.extend.enabled else options.extend_ratio
    if not extend.enabled:
        return {}
    to = "box" if options.extend.enabled else "ratio"
    return {"ext": Extension(to, extend.anchor.word, *_point_or_offsets(extend.anchor))}


def _offsets(anchor: Anchor) -> tuple[float, float]:
    return (
        (0.0, 0.0) if anchor.word in ("fp", "attention", "face") else (_round_length(anchor.x), _round_length(anchor.y))
    )


def _point_or_offsets(anchor: Anchor) -> tuple[float, float]:
    return (_round4(anchor.x), _round4(anchor.y)) if anchor.word == "fp" else _offsets(anchor)


def _round_length(offset: float) -> float:
    """Round pixels to integers, and fractions of a side, which are below 1, to four decimals."""
    return float(round(offset)) if abs(offset) >= 1 else _round4(offset)


def _round4(value: float) -> float:
    return round(value, 4)


def _round2(value: float) -> float:
    return round(value * 100) / 100


def _convert_rotation(options: ImgproxyOptions) -> dict[str, Value]:
    flip = "h" * options.flip_x + "v" * options.flip_y
    values: dict[str, Value] = {"rot": options.rotate, "flip": flip or "none"}
    if not options.auto_rotate:
        values["orient"] = False
    return values


def _convert_effects(options: ImgproxyOptions) -> dict[str, Value]:
    values: dict[str, Value] = {"pad": Padding(*options.padding)}
    if options.background:
        alpha = f"{round(options.background_alpha * 255):02x}"
        values["bg"] = options.background + (alpha if alpha != "ff" else "")
    if options.blur:
        values["blur"] = max(0.01, _round2(options.blur))
    if options.sharpen:
        values["sharp"] = max(0.01, _round2(options.sharpen))
    if options.pixelate > 1:
        values["pix"] = options.pixelate
    return values


def _convert_tones(options: ImgproxyOptions) -> dict[str, Value]:
    """Convert tones, in this order: ``brightness`` adds up to 255, ``contrast`` turns around the middle."""
    matrix: Matrix = linear(1.0, options.brightness / 255)
    matrix = compose(matrix, linear(options.contrast, (1 - options.contrast) / 2))
    matrix = round_matrix(compose(matrix, saturation(options.saturation)))
    return {} if matrix == IDENTITY else {"mat": matrix}


def _convert_watermark(options: ImgproxyOptions, settings: DialectSettings) -> dict[str, Value]:
    mark = options.watermark
    if not mark.opacity:
        return {}
    if mark.scale > 1:
        raise bad_option("watermark", "scale must be at most 1")
    overlay = _make_overlay(options, settings)
    if overlay is not None:
        return {"ov": format_overlays([overlay])}
    if mark.width or mark.height or mark.rotate:
        raise bad_option("watermark_size", "it needs watermark_url or watermark_text, as does watermark_rotate")
    tiled = mark.position == "tiled"
    x, y = _round_length(mark.x), _round_length(mark.y)
    scale = max(0.0001, _round4(mark.scale)) if mark.scale else 0.0
    opacity = max(1, round(mark.opacity * 100))
    return {
        "wm": Watermark(settings.default_watermark(), "center" if tiled else mark.position, opacity),
        "wmx": WatermarkLayout(x, y, tiled, scale, scale),
        "wml": True,
    }


def _make_overlay(options: ImgproxyOptions, settings: DialectSettings) -> Overlay | None:
    """Return the image of ``watermark_url`` or the text of ``watermark_text``, if any. Raises BadOption."""
    mark = options.watermark
    overlay = Overlay("text", mark.text, color="000000") if mark.text else None
    if mark.address and (overlay := find_overlay(settings, mark.address)) is None:
        raise bad_option("watermark_url", f"its key must be below {FILES_BELOW}")
    if overlay is None:
        return None
    part = Measure(max(0.1, round(mark.scale * 100, 2))) if mark.scale else None
    width, height = (part or (Measure(float(px), is_px=True) if px else None) for px in (mark.width, mark.height))
    tiled = mark.position == "tiled"
    placed = overlay._replace(
        at="center" if tiled else mark.position,
        x=to_measure(_round_length(mark.x)),
        y=to_measure(_round_length(mark.y)),
        rotate=mark.rotate,
        opacity=max(1, round(mark.opacity * 100)),
        tile=tiled,
        width=width,
        height=height,
    )
    has_box = bool(width or height)
    if placed.kind == "image":
        return placed._replace(own=not has_box)
    return placed._replace(fit=True) if has_box else placed._replace(size=TEXT_SIZE)


def _convert_output(options: ImgproxyOptions) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if options.format:
        values["f"] = options.format
    quality = options.quality or options.format_quality.get(options.format, 0)
    if quality:
        values["q"] = quality
    if options.max_bytes:
        values["mb"] = options.max_bytes
    if options.still:
        values["anim"] = False
    if options.page:
        values["page"] = options.page
    skipped = options.skip & {options.format} if options.format else options.skip
    if kinds := tuple(kind for kind in SOURCE_FORMATS if kind in skipped):
        values["skip"] = kinds
    return values


def _convert_file_name(options: ImgproxyOptions, key: str) -> dict[str, Value]:
    """Return the file name of a download or of ``filename``, with an extension. imgproxy names every response."""
    own = key.rpartition("/")[2]
    name = options.file_name or ((own.rpartition(".")[0] or own) if options.attachment else "")
    return {"dl": name, "dlx": True, "inl": not options.attachment} if name else {}
