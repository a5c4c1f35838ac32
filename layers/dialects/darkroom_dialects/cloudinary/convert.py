"""Convert Cloudinary's transformations to values of our options."""

from __future__ import annotations

from dataclasses import replace

from darkroom.plan.model import IDENTITY, Crop, CropTo, Gravity, Scale
from darkroom.plan.option_types import Value
from darkroom.plan.options import MAX_SIDE_PX

from ..common.colours import split_channels
from ..common.matrices import combine, mix, scale_channels
from ..common.rotation import flip_then_rotate
from ..common.validate import bad_option
from .model import CloudinaryOptions, Resize
from .option_parsers import CENTRED_ON_POINT, COMPASS, SEARCHES

_FITS = {
    "scale": ("contain", True),
    "fit": ("contain", True),
    "mfit": ("contain", True),
    "limit": ("contain", False),
    "fill": ("cover", True),
    "auto": ("cover", True),
    "thumb": ("cover", True),
    "lfill": ("cover", False),
    "pad": ("letterbox", True),
    "lpad": ("letterbox", False),
}
"""Our ``fit`` and ``up`` for each mode but ``crop``."""

_THUMB_ZOOM = 0.75
"""How closely ``c_thumb`` crops to the faces: Cloudinary's thumbnails have a margin, for which it gives no number."""

_WHOLE_SOURCE_PX = 65_535


def convert_options(options: CloudinaryOptions) -> dict[str, Value]:
    """Return option values by short name. Raises BadOption for what our options cannot express."""
    crop, resize = _order_resizes(options)
    return {
        **options.values,
        **(_convert_crop(crop) if crop else {}),
        **(_convert_resize(resize) if resize else {}),
        **_convert_turn(options),
        **({"bg": options.background} if options.background else {}),
        **_convert_tones(options),
        "f": options.output or "auto-legacy",
    }


def _order_resizes(options: CloudinaryOptions) -> tuple[Resize | None, Resize | None]:
    """Return the crop and the resize after it. An aspect ratio without sides takes those of the next resize."""
    found = [one for one in options.resizes if not one.is_empty]
    if options.turned_in is not None and any(not one.is_empty for one in options.resizes[options.turned_in + 1 :]):
        raise bad_option("a", "must be in the component of the resize or after it")
    for at, one in enumerate(found[:-1]):
        if one.has_ratio_only and one.mode != "crop":
            following = found[at + 1]
            if following.ratio or (following.width and following.height) or following.mode not in ("", "scale"):
                raise bad_option("ar", "needs w or h, in its component or in a c_scale after it")
            sides = replace(one, width=following.width, height=following.height, is_share=following.is_share)
            found[at : at + 2] = [replace(sides, dpr=following.dpr)]
            break
    crops = [one for one in found if one.mode == "crop"]
    if len(found) > 2 or len(crops) > 1 or len(found) - len(crops) > 1 or (crops and found[0] is not crops[0]):
        raise bad_option("c", "one crop and then one resize can be combined; further ones are not supported")
    return next(iter(crops), None), next((one for one in found if one.mode != "crop"), None)


def _find_sides(resize: Resize) -> tuple[float, float]:
    """Return width and height, the missing one by ``ar``."""
    width, height, ratio = resize.width, resize.height, resize.ratio
    if not ratio or (width and height):
        return width, height
    if resize.is_share or not (width or height):
        raise bad_option("ar", "needs w or h in px")
    return (width, max(1, round(width / ratio))) if width else (max(1, round(height * ratio)), height)


# ------------------------------------------------------------------- crop


def _convert_crop(crop: Resize) -> dict[str, Value]:
    if crop.dpr != 1:
        raise bad_option("dpr", "cannot be combined with c_crop")
    width, height = _find_sides(crop)
    if not crop.gravity and (crop.x or crop.y):
        return {"crop": _convert_region(crop, width, height)}
    if crop.gravity in SEARCHES:
        raise bad_option("g", "c_crop needs a side, a corner or center; c_fill and c_thumb search")
    if crop.gravity == CENTRED_ON_POINT:
        raise bad_option("g", f"{CENTRED_ON_POINT} needs c_fill")
    if crop.is_share:
        width, height = (0.0 if side >= 1 else side for side in (width, height))
    return {"cut": CropTo(width, height, COMPASS[crop.gravity or "center"], dx=crop.x, dy=crop.y)}


def _convert_region(crop: Resize, width: float, height: float) -> Crop:
    if not crop.is_share:
        return Crop("px", crop.x, crop.y, width or _WHOLE_SOURCE_PX, height or _WHOLE_SOURCE_PX)
    x, y = round(crop.x * 100, 2), round(crop.y * 100, 2)
    across, down = (round(side * 100, 2) or 100.0 for side in (width, height))
    return Crop("pct", x, y, min(across, 100 - x), min(down, 100 - y))


# ----------------------------------------------------------------- resize


def _convert_resize(resize: Resize) -> dict[str, Value]:
    mode = resize.mode or "scale"
    fit, grows = _FITS[mode]
    if resize.gravity != CENTRED_ON_POINT and (resize.x or resize.y):
        raise bad_option("x", f"x and y need c_crop, or g_{CENTRED_ON_POINT}")
    width, height = _find_sides(resize)
    if resize.is_share:
        return _convert_share(resize, mode, width, height)
    values: dict[str, Value] = {
        short: _scale(side, resize.dpr) for short, side in (("w", width), ("h", height)) if side
    }
    if not values:
        return {}
    values |= {"fit": fit, "up": grows}
    if mode == "mfit":
        values["grow"] = True
    elif mode == "scale" and width and height:
        values["fit"] = "fill"
    return values | (_convert_gravity(resize, mode) if fit != "contain" else {})


def _convert_share(resize: Resize, mode: str, width: float, height: float) -> dict[str, Value]:
    """Convert fractions of the source's sides."""
    if mode not in ("scale", "fit", "limit") or (width and height and width != height):
        raise bad_option("w", "a fraction needs c_scale, c_fit, c_limit or c_crop, and the same for both sides")
    factor = min(100.0, max(0.0001, round((width or height) * resize.dpr, 4)))
    if mode == "limit":
        factor = min(1.0, factor)
    return {} if factor == 1 else {"zoom": Scale(factor, factor), "up": factor > 1}


def _scale(side: float, ratio: float) -> int:
    """Scale ``side`` within our range. Sides beyond it are left to be refused."""
    return int(side) if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, round(side * ratio)))


def _convert_gravity(resize: Resize, mode: str) -> dict[str, Value]:
    word = resize.gravity or ("auto" if mode == "auto" else "center")
    if _FITS[mode][0] == "letterbox":
        if word != "center":
            raise bad_option("g", f"c_{mode} centres the image")
        return {}
    if word == CENTRED_ON_POINT:
        if resize.is_share or not (resize.x and resize.y):
            raise bad_option("g", f"{CENTRED_ON_POINT} needs x and y in px")
        return {"focus": (int(resize.x), int(resize.y))}
    if word in SEARCHES:
        name = SEARCHES[word]
        return {"g": Gravity(name), **({"fz": _THUMB_ZOOM} if mode == "thumb" and name == "face" else {})}
    return {"g": Gravity(COMPASS[word])}


# ------------------------------------------------------- turns and tones


def _convert_turn(options: CloudinaryOptions) -> dict[str, Value]:
    if options.turned_in is None:
        return {}
    if options.angle:
        return {"flip": options.flip or "none", "angle": float(options.angle)}
    return flip_then_rotate(options.flip, options.degrees)


def _convert_tones(options: CloudinaryOptions) -> dict[str, Value]:
    tones = list(options.tones)
    if options.colorize:
        flat = scale_channels((0, 0, 0), split_channels(options.colour))
        tones.append(mix(flat, options.colorize))
    matrix = combine(tones) if tones else IDENTITY
    return {} if matrix == IDENTITY else {"mat": matrix}
