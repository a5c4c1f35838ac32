"""From what an imgproxy URL wants to the values of our options."""

from __future__ import annotations

from ...borrowed.options import SOURCE_FORMATS
from ...kinds import Value
from ...model import Cut, Extension, Gravity, Offset, Padding, Stamp, Trimming, Watermark, Zoom
from ...options import MAX_SIDE_PX
from ..held import refused
from ..settings import LanguageSettings
from .turning import Pull
from .wanted import Extend, Wanted

_FITS: dict[str, tuple[str, str]] = {
    "fit": ("contain", ""),
    "fill": ("cover", "clip"),
    "fill-down": ("cover", ""),
    "force": ("fill", ""),
    "auto": ("cover", "flex"),
}
"""Our ``fit`` and ``cov`` of each resizing type."""


def values_of(wanted: Wanted, key: str, settings: LanguageSettings) -> dict[str, Value]:
    """Option values by short name; raises BadOption for what cannot be said in ours."""
    if wanted.raw:
        return {"skip": ("all",), **_named(wanted, key)}
    _check_sides(wanted)
    return {
        **_region(wanted),
        **_sizes(wanted),
        **_fitted(wanted),
        **_extended(wanted),
        **_turned(wanted),
        **_effects(wanted),
        **_marked(wanted, settings),
        **_output(wanted),
        **_named(wanted, key),
    }


def _check_sides(wanted: Wanted) -> None:
    sides = (wanted.width, wanted.height)
    if wanted.resizing == "force" and any(sides) and not all(sides):
        raise refused("resizing_type", "force needs width and height here")
    if wanted.max_side and not all(0 < side <= wanted.max_side for side in sides):
        raise refused("max_result_dimension", "is served only with a width and a height that are within it")
    if wanted.trim.threshold is not None and (wanted.crop_width or wanted.crop_height):
        raise refused("crop", "cannot be served together with trim: it would come first here")


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
        equal = "h" * trim.equal_x + "v" * trim.equal_y
        values["trim"] = max(1, round(trim.threshold))
        values["trimx"] = Trimming(colour=trim.colour, equal=equal)
    return values


def _cropped(side: float) -> float:
    return float(int(side)) if side >= 1 else max(_rounded(side), 0.0001) if side else 0.0


def _cut(width: float, height: float, pull: Pull) -> Cut:
    if pull.word == "fp":
        return Cut(width, height, "fp", _rounded(pull.x), _rounded(pull.y))
    return Cut(width, height, pull.word, dx=_length(pull.x), dy=_length(pull.y))


def _upright(pull: Pull, wanted: Wanted) -> Pull:
    return pull.before(wanted.rotate, flip_x=wanted.flip_x, flip_y=wanted.flip_y)


def _sizes(wanted: Wanted) -> dict[str, Value]:
    """``dpr`` and an even ``zoom`` go into the box; without a box, and where they distort, they stay factors."""
    values: dict[str, Value] = {}
    boxed = bool(wanted.width or wanted.height)
    ratio = wanted.dpr if boxed or wanted.enlarge or wanted.dpr < 1 else 1.0
    factors = (wanted.zoom_x, wanted.zoom_y)
    if not boxed:
        factors = (wanted.zoom_x * ratio, wanted.zoom_y * ratio)
    elif wanted.zoom_x == wanted.zoom_y:
        ratio, factors = ratio * wanted.zoom_x, (1.0, 1.0)
    for short, side, scale in (
        ("w", wanted.width, ratio),
        ("h", wanted.height, ratio),
        ("minw", wanted.min_width, wanted.dpr),
        ("minh", wanted.min_height, wanted.dpr),
    ):
        if side:
            values[short] = _side(side, scale)
    if factors != (1.0, 1.0):
        values["zoom"] = Zoom(*map(_rounded, factors))
    if wanted.enlarge:
        values["up"] = True
    return values


def _side(side: int, scale: float) -> int:
    """Scaled within our range; beyond it without any scale, it is left to be refused."""
    return side if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, round(side * scale)))


def _fitted(wanted: Wanted) -> dict[str, Value]:
    fit, covering = _FITS[wanted.resizing]
    pull = _upright(wanted.gravity, wanted)
    values: dict[str, Value] = {
        "fit": fit,
        "g": Gravity("fp", _hundredths(pull.x), _hundredths(pull.y)) if pull.word == "fp" else Gravity(pull.word),
        "off": Offset(*_offsets(pull, wanted.dpr)),
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
    return {"ext": Extension(to, extend.pull.word, *_offsets(extend.pull, wanted.dpr))}


def _offsets(pull: Pull, dpr: float) -> tuple[float, float]:
    return (0.0, 0.0) if pull.word in ("fp", "attention") else (_length(pull.x, dpr), _length(pull.y, dpr))


def _length(offset: float, dpr: float = 1.0) -> float:
    """Pixels are whole and grow with ``dpr``; parts of a side, those below 1, are neither."""
    return float(round(offset * dpr)) if abs(offset) >= 1 else _rounded(offset)


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
    values: dict[str, Value] = {"pad": Padding(*(round(side * wanted.dpr) for side in wanted.padding))}
    if wanted.background:
        values["bg"] = wanted.background
    if wanted.blur:
        values["blur"] = max(0.01, _hundredths(wanted.blur))
    if wanted.sharpen:
        values["sharp"] = max(0.01, _hundredths(wanted.sharpen))
    if wanted.pixelate > 1:
        values["pix"] = wanted.pixelate
    return values


def _marked(wanted: Wanted, settings: LanguageSettings) -> dict[str, Value]:
    mark = wanted.mark
    if not mark.opacity:
        return {}
    if mark.scale > 1:
        raise refused("watermark", "its scale must be 1 at most here")
    tiled = mark.position == "tiled"
    x, y = _length(mark.x, wanted.dpr), _length(mark.y, wanted.dpr)
    scale = max(0.0001, _rounded(mark.scale)) if mark.scale else 0.0
    opacity = max(1, round(mark.opacity * 100))
    return {
        "wm": Watermark(settings.own_watermark(), "center" if tiled else mark.position, opacity),
        "wmx": Stamp(x, y, tiled, scale, scale),
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
    skipped = wanted.skip & {wanted.format} if wanted.format else wanted.skip
    if kinds := tuple(kind for kind in SOURCE_FORMATS if kind in skipped):
        values["skip"] = kinds
    return values


def _named(wanted: Wanted, key: str) -> dict[str, Value]:
    """imgproxy names every answer. Here those that are saved or that the URL names have a name, with an extension."""
    own = key.rpartition("/")[2]
    name = wanted.file_name or ((own.rpartition(".")[0] or own) if wanted.attachment else "")
    return {"dl": name, "dlx": True, "inl": not wanted.attachment} if name else {}
