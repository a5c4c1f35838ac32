"""From what an imgproxy URL wants to the values of our options."""

from __future__ import annotations

from ...plan.extended.option_types import MAX_LENGTH_PX, MAX_LEVEL
from ...plan.extended.options import SOURCE_FORMATS
from ...plan.model import (
    IDENTITY,
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
from ...plan.option_types import Value
from ...plan.options import MAX_SIDE_PX
from ..common.matrices import after, linear, rounded, saturation
from ..common.settings import LanguageSettings
from ..common.validate import refused
from .gravity import Pull
from .model import Extend, Wanted

_FITS: dict[str, tuple[str, str]] = {
    "fit": ("contain", ""),
    "fill": ("cover", "clip"),
    "fill-down": ("cover", ""),
    "force": ("fill", ""),
    "auto": ("cover", "flex"),
}
"""Our ``fit`` and ``cov`` of each resizing type."""


_TRANSPARENT = "ff00ff"
"""The colour by which ``trim`` is asked to take what is transparent."""

_NOISE = 1e-6
"""Of a pixel: what floating point leaves of a whole number."""


def values_of(wanted: Wanted, key: str, settings: LanguageSettings) -> dict[str, Value]:
    """Option values by short name; raises BadOption for what cannot be said in ours."""
    if wanted.raw:
        return {"skip": ("all",), **_named(wanted, key)}
    return {
        **_region(wanted),
        **_sizes(wanted),
        **_fitted(wanted),
        **_extended(wanted),
        **_turned(wanted),
        **_effects(wanted),
        **_tones(wanted),
        **_marked(wanted, settings),
        **_output(wanted),
        **_named(wanted, key),
    }


def _region(wanted: Wanted) -> dict[str, Value]:
    """``crop`` is about the turned picture, in lengths that no pixel ratio changes."""
    values: dict[str, Value] = {}
    width, height = (_cropped(side) for side in (wanted.crop_width, wanted.crop_height))
    if width or height:
        pull = _upright(wanted.crop_gravity or wanted.gravity, wanted)
        if wanted.rotate % 180:
            width, height = height, width
        values["cut"] = _cut(width, height, pull)
    trim = wanted.trim
    if trim.threshold is not None:
        level = min(_rounded(trim.threshold), MAX_LEVEL)
        values["trim"] = min(100, max(1, round(level)))
        equal = "h" * trim.equal_x + "v" * trim.equal_y
        exact = 0.0 if level in (0, values["trim"]) else level
        colour = f"{trim.colour}00" if trim.colour == _TRANSPARENT else trim.colour
        values["trimx"] = TrimOptions(colour=colour, equal=equal, level=exact)
        values["tfirst"] = "cut" in values
    return values


def _cropped(side: float) -> float:
    return float(int(side)) if side >= 1 else max(_rounded(side), 0.0001) if side else 0.0


def _cut(width: float, height: float, pull: Pull) -> CropTo:
    if pull.word == "fp":
        return CropTo(width, height, "fp", _rounded(pull.x), _rounded(pull.y))
    return CropTo(width, height, pull.word, dx=_length(pull.x), dy=_length(pull.y))


def _upright(pull: Pull, wanted: Wanted) -> Pull:
    return pull.before(wanted.rotate, flip_x=wanted.flip_x, flip_y=wanted.flip_y)


def _sizes(wanted: Wanted) -> dict[str, Value]:
    """``dpr`` and an even ``zoom`` go into the box where that is the same for every source; else they stay factors."""
    values: dict[str, Value] = {"even": True}
    ratio, zoom = wanted.dpr, (wanted.zoom_x, wanted.zoom_y)
    sides = (wanted.width, wanted.height)
    into_box = 1.0
    stretched = wanted.resizing == "force" and not all(sides)
    if any(sides) and not stretched and zoom[0] == zoom[1] and _is_whole(sides, zoom[0]):
        into_box, zoom = zoom[0], (1.0, 1.0)
    if _goes_into_box(wanted) and _is_whole(sides, into_box * ratio):
        into_box, ratio = into_box * ratio, 1.0
    boxed = {"w": wanted.width, "h": wanted.height}
    values |= {short: _side(side, into_box) for short, side in boxed.items() if side}
    least = {"minw": wanted.min_width, "minh": wanted.min_height}
    values |= {short: side for short, side in least.items() if side}
    if ratio != 1:
        values["ratio"] = max(_rounded(ratio), 0.0001)
    if zoom != (1.0, 1.0):
        values["zoom"] = Scale(*map(_rounded, zoom))
    if wanted.enlarge:
        values["up"] = True
    values["one"] = wanted.resizing == "force"
    if wanted.max_side and not _is_within(wanted):
        values["most"] = min(wanted.max_side, MAX_LENGTH_PX)
    return values


def _goes_into_box(wanted: Wanted) -> bool:
    """Whether a box times ``dpr`` gives what imgproxy does for every source: nothing else is scaled, nothing cut."""
    one = not (wanted.width and wanted.height)
    contains = wanted.resizing == "fit" or (one and wanted.resizing != "force")
    scaled = (wanted.min_width, wanted.min_height, *wanted.padding, wanted.mark.opacity, wanted.max_side)
    extended = wanted.extend.enabled or wanted.extend_ratio.enabled
    even_zoom = wanted.zoom_x == wanted.zoom_y
    return contains and not any(scaled) and not extended and even_zoom and bool(wanted.width or wanted.height)


def _is_whole(sides: tuple[int, int], factor: float) -> bool:
    """Whether sides times ``factor`` are whole numbers of pixels."""
    return all(abs(side * factor - round(side * factor)) < _NOISE for side in sides)


def _is_within(wanted: Wanted) -> bool:
    """Whether the box alone keeps the result within ``max_result_dimension``."""
    sides = (wanted.width, wanted.height)
    factor = max(1.0, wanted.dpr) * max(wanted.zoom_x, wanted.zoom_y)
    grown = (wanted.min_width, wanted.min_height, *wanted.padding, wanted.extend.enabled, wanted.extend_ratio.enabled)
    return all(sides) and not any(grown) and max(sides) * factor <= wanted.max_side


def _side(side: int, scale: float) -> int:
    """Scaled within our range; beyond it without any scale, it is left to be refused."""
    return side if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, round(side * scale)))


def _fitted(wanted: Wanted) -> dict[str, Value]:
    fit, covering = _FITS[wanted.resizing]
    pull = _upright(wanted.gravity, wanted)
    values: dict[str, Value] = {
        "fit": fit,
        "g": Gravity("fp", _hundredths(pull.x), _hundredths(pull.y)) if pull.word == "fp" else Gravity(pull.word),
        "off": Offset(*_offsets(pull)),
    }
    if covering and not (covering == "clip" and wanted.enlarge):
        values["cov"] = covering
    return values


def _extended(wanted: Wanted) -> dict[str, Value]:
    """To the box's sides if both are asked for: it has its own ratio then."""
    extend: Extend = wanted.extend if wanted.extend.enabled else wanted.extend_ratio
    if not extend.enabled:
        return {}
    to = "box" if wanted.extend.enabled else "ratio"
    return {"ext": Extension(to, extend.pull.word, *_point_or_offsets(extend.pull))}


def _offsets(pull: Pull) -> tuple[float, float]:
    return (0.0, 0.0) if pull.word in ("fp", "attention", "face") else (_length(pull.x), _length(pull.y))


def _point_or_offsets(pull: Pull) -> tuple[float, float]:
    return (_rounded(pull.x), _rounded(pull.y)) if pull.word == "fp" else _offsets(pull)


def _length(offset: float) -> float:
    """Pixels are whole; parts of a side, those below 1, are not."""
    return float(round(offset)) if abs(offset) >= 1 else _rounded(offset)


def _rounded(value: float) -> float:
    return round(value, 4)


def _hundredths(value: float) -> float:
    return round(value * 100) / 100


def _turned(wanted: Wanted) -> dict[str, Value]:
    flip = "h" * wanted.flip_x + "v" * wanted.flip_y
    values: dict[str, Value] = {"rot": wanted.rotate, "flip": flip or "none"}
    if not wanted.auto_rotate:
        values["orient"] = False
    return values


def _effects(wanted: Wanted) -> dict[str, Value]:
    values: dict[str, Value] = {"pad": Padding(*wanted.padding)}
    if wanted.background:
        alpha = f"{round(wanted.background_alpha * 255):02x}"
        values["bg"] = wanted.background + (alpha if alpha != "ff" else "")
    if wanted.blur:
        values["blur"] = max(0.01, _hundredths(wanted.blur))
    if wanted.sharpen:
        values["sharp"] = max(0.01, _hundredths(wanted.sharpen))
    if wanted.pixelate > 1:
        values["pix"] = wanted.pixelate
    return values


def _tones(wanted: Wanted) -> dict[str, Value]:
    """``brightness`` of 255 adds all that there is, ``contrast`` is around the middle, in this order."""
    matrix: Matrix = linear(1.0, wanted.brightness / 255)
    matrix = after(matrix, linear(wanted.contrast, (1 - wanted.contrast) / 2))
    matrix = rounded(after(matrix, saturation(wanted.saturation)))
    return {} if matrix == IDENTITY else {"mat": matrix}


def _marked(wanted: Wanted, settings: LanguageSettings) -> dict[str, Value]:
    mark = wanted.mark
    if not mark.opacity:
        return {}
    if mark.scale > 1:
        raise refused("watermark", "its scale must be 1 at most here")
    tiled = mark.position == "tiled"
    x, y = _length(mark.x), _length(mark.y)
    scale = max(0.0001, _rounded(mark.scale)) if mark.scale else 0.0
    opacity = max(1, round(mark.opacity * 100))
    return {
        "wm": Watermark(settings.own_watermark(), "center" if tiled else mark.position, opacity),
        "wmx": WatermarkLayout(x, y, tiled, scale, scale),
        "wml": True,
    }


def _output(wanted: Wanted) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if wanted.format:
        values["f"] = wanted.format
    quality = wanted.quality or wanted.format_quality.get(wanted.format, 0)
    if quality:
        values["q"] = quality
    if wanted.max_bytes:
        values["mb"] = wanted.max_bytes
    if wanted.still:
        values["anim"] = False
    if wanted.page:
        values["page"] = wanted.page
    skipped = wanted.skip & {wanted.format} if wanted.format else wanted.skip
    if kinds := tuple(kind for kind in SOURCE_FORMATS if kind in skipped):
        values["skip"] = kinds
    return values


def _named(wanted: Wanted, key: str) -> dict[str, Value]:
    """imgproxy names every answer. Here those that are saved or that the URL names have a name, with an extension."""
    own = key.rpartition("/")[2]
    name = wanted.file_name or ((own.rpartition(".")[0] or own) if wanted.attachment else "")
    return {"dl": name, "dlx": True, "inl": not wanted.attachment} if name else {}
