"""Apply DIT's edits that are calls of sharp, except overlays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from darkroom.plan.model import IDENTITY, IMAGE_FORMATS, METADATA, Clahe, Convolution, Crop, Lch, Padding, TrimOptions
from darkroom.plan.option_types import Value

from ..common.matrices import combine, lightness, linear
from ..common.validate import bad_option
from .geometry import BLACK, has_box
from .model import (
    DitOptions,
    is_enabled,
    object_or_empty,
    require_colour,
    require_int,
    require_number,
    require_object,
)

type EditParser = Callable[[DitOptions, object], None]


class Kernel(NamedTuple):
    """An edit by a Gaussian: its name, our option for a sigma, and sharp's kernel without one."""

    name: str
    short: str
    mild: Convolution


BLUR = Kernel("blur", "blur", Convolution(3, True, (1,) * 9))
SHARPENING = Kernel("sharpen", "sharp", Convolution(3, True, (-1, -1, -1, -1, 32, -1, -1, -1, -1)))
"""The kernels are those of ``src/operations.cc``."""

TRIM_THRESHOLD = 10
MIN_TRIM = 1
MEDIAN_PX = 3
CLAHE_SLOPE = 3
THRESHOLD = 128
"""sharp's defaults. 1 is our minimum of trim; 0 is off."""

MAX_CLAHE_SLOPE = 100
MAX_CLAHE_WINDOW_PX = 256
"""A window of 200 px takes 1.2 s of CPU per megapixel, one of 800 px 8 s."""

FORMATS = {"jpg": "jpeg", **{name: name for name in IMAGE_FORMATS}, "tif": "tiff", "tiff": "tiff"}


def ignore(_options: DitOptions, _: object) -> None:
    pass


def apply_resize(options: DitOptions, value: object) -> None:
    options.resize = require_object("resize", value)
    options.resized = has_box(options.resize) or bool(options.resize.get("ratio"))
    options.turn_first = bool(options.turn)


def apply_strip_exif(options: DitOptions, value: object) -> None:
    if is_enabled(value):
        options.metadata = METADATA[0]


def apply_rotate(options: DitOptions, value: object) -> None:
    """Apply a rotation. With null DIT removes metadata instead, and applies the orientation."""
    if value is None:
        options.metadata = METADATA[0]
    else:
        options.turn = require_number("rotate", value) % 360


def apply_switch(into: Literal["flip", "flop", "grey"], options: DitOptions, value: object) -> None:
    setattr(options, into, is_enabled(value))


def apply_region(name: str, options: DitOptions, value: object) -> None:
    """Apply ``extract`` or ``crop``: a region of the source before any other change."""
    given = require_object(name, value)
    if options.resized or options.turn or options.crop:
        raise bad_option(name, "only one region is supported, before resize and rotation")
    options.crop = Crop("px", *(require_int(name, given.get(part)) for part in ("left", "top", "width", "height")))


def apply_trim(options: DitOptions, value: object) -> None:
    given = object_or_empty(value)
    threshold = (
        value if isinstance(value, int | float) and value is not True else given.get("threshold", TRIM_THRESHOLD)
    )
    if given.get("margin"):
        raise bad_option("trim", "margin is not supported")
    options.values["trim"] = max(MIN_TRIM, round(require_number("trim", threshold)))
    if given.get("background") is not None:
        options.values["trimx"] = TrimOptions(require_colour("background", given["background"]))


def apply_extend(options: DitOptions, value: object) -> None:
    given = (
        dict.fromkeys(("top", "right", "bottom", "left"), value)
        if isinstance(value, int)
        else require_object("extend", value)
    )
    if given.get("extendWith", "background") != "background":
        raise bad_option("extend", "extendWith must be background")
    sides = (require_int("extend", given.get(side) or 0) for side in ("top", "right", "bottom", "left"))
    options.set_once("extend", pad=Padding(*sides), bgm=require_colour("background", given.get("background", BLACK)))


def apply_flatten(options: DitOptions, value: object) -> None:
    if is_enabled(value):
        options.set_once("flatten", bg=require_colour("background", object_or_empty(value).get("background", BLACK)))


def apply_kernel(kernel: Kernel, options: DitOptions, value: object) -> None:
    if not is_enabled(value):
        return
    sigma = value.get("sigma") if isinstance(value, dict) else value
    if sigma is True or sigma is None:
        options.set_once(kernel.name, conv=kernel.mild)
    else:
        options.values[kernel.short] = float(require_number(kernel.name, sigma))


def apply_convolve(options: DitOptions, value: object) -> None:
    given = require_object("convolve", value)
    kernel = given.get("kernel")
    weights = [float(require_number("convolve", one)) for one in kernel] if isinstance(kernel, list) else []
    width, height = (require_int("convolve", given.get(name)) for name in ("width", "height"))
    if not weights or width * height != len(weights):
        raise bad_option("convolve", "the kernel must have width times height numbers")
    if given.get("offset"):
        raise bad_option("convolve", "offset is not supported")
    scale = given.get("scale") if isinstance(given.get("scale"), int) else sum(weights)
    divisor = max(1.0, float(require_number("convolve", scale)))
    normal = divisor == sum(weights)
    options.set_once(
        "convolve", conv=Convolution(width, normal, tuple(one if normal else one / divisor for one in weights))
    )


def apply_median(options: DitOptions, value: object) -> None:
    options.values["med"] = MEDIAN_PX if value is None else require_int("median", value)


def apply_threshold(options: DitOptions, value: object) -> None:
    level = THRESHOLD if value is None or value is True else value
    options.values["thr"] = 0 if level is False else require_int("threshold", level)
    options.alpha = options.alpha or ("threshold" if options.values["thr"] else "")


def apply_normalise(options: DitOptions, value: object) -> None:
    given = object_or_empty(value)
    if given.get("lower", 1) != 1 or given.get("upper", 99) != 99:
        raise bad_option("normalise", "only lower 1 and upper 99 are supported")
    options.values["lev"] = "stretch"


def apply_clahe(options: DitOptions, value: object) -> None:
    given = require_object("clahe", value)
    slope = given.get("maxSlope", CLAHE_SLOPE)
    window = (require_int("clahe", given.get("width")), require_int("clahe", given.get("height")))
    if not 1 <= min(window) <= max(window) <= MAX_CLAHE_WINDOW_PX:
        raise bad_option("clahe", f"width and height must be from 1 to {MAX_CLAHE_WINDOW_PX}")
    if not 0 <= require_int("clahe", slope) <= MAX_CLAHE_SLOPE:
        raise bad_option("clahe", f"maxSlope must be from 0 to {MAX_CLAHE_SLOPE}")
    options.values["clahe"] = Clahe(*window, require_int("clahe", slope))


def apply_ensure_alpha(_options: DitOptions, value: object) -> None:
    if value not in (None, True, 1):
        raise bad_option("ensureAlpha", "only opaque alpha is supported")


def apply_to_format(options: DitOptions, value: object) -> None:
    options.output = parse_format(value)


def parse_format(value: object) -> str:
    """Return our name of an output format. Raises BadOption with the supported ones."""
    output = FORMATS.get(value) if isinstance(value, str) else None
    if output is None:
        raise bad_option("toFormat", f"it must be one of {', '.join(FORMATS)}")
    return output


def apply_encoder(output: str, options: DitOptions, value: object) -> None:
    """Apply the edit of format ``output``. It sets the format unless another one is named."""
    given = object_or_empty(value)
    for name in ("lossless", "nearLossless"):
        if given.get(name):
            raise bad_option(output, f"{name} is not supported; use png")
    options.written = output
    if given.get("quality") is not None:
        options.qualities[output] = require_int("quality", given["quality"])
    if output == "jpeg" and given.get("progressive") is False:
        options.values["base"] = True


EARLY, LATE = ("recomb", "linear"), ("extractChannel", "negate")
"""Matrices in the order of sharp's ``src/pipeline.cc`` (0.35): greys and modulate() come before and between them."""

_BETWEEN = frozenset({"lev", "clahe", "tint", "wm"})
"""Options that are applied between early and late matrices."""

_CHANNELS: dict[object, int] = {"red": 0, "green": 1, "blue": 2, 0: 0, 1: 1, 2: 2}


def convert_colour(options: DitOptions) -> dict[str, Value]:
    """Return tone options by short name. Matrices are early where possible: most plans have only one then."""
    early, late = ([options.tones[name] for name in names if name in options.tones] for names in (EARLY, LATE))
    if options.grey or options.lch is not None:
        first = [] if options.grey else early[: "recomb" in options.tones]
        early, late = first, early[len(first) :] + late
    if not (options.grey or options.lch is not None or options.values.keys() & _BETWEEN):
        early, late = early + late, []
    values: dict[str, Value] = {"gray": True} if options.grey else {}
    if options.lch is not None:
        values["lch"] = options.lch
    found = (("mat", combine(early)), ("late", combine(late)))
    return values | {short: matrix for short, matrix in found if matrix != IDENTITY}


def apply_negate(options: DitOptions, value: object) -> None:
    if is_enabled(value):
        options.tones["negate"] = linear(-1, 1)
        if not (isinstance(value, dict) and value.get("alpha") is False):
            options.alpha = "invert"


def apply_recomb(options: DitOptions, value: object) -> None:
    rows = value if isinstance(value, list) else []
    if len(rows) not in (3, 4) or any(not isinstance(row, list) or len(row) != len(rows) for row in rows):
        raise bad_option("recomb", "it must be three rows of three numbers")
    numbers = [[require_number("recomb", one) for one in row] for row in rows]
    if len(rows) == 4 and (numbers[3] != [0, 0, 0, 1] or any(row[3] for row in numbers[:3])):
        raise bad_option("recomb", "a fourth row and column must not change alpha")
    options.tones["recomb"] = tuple(one for row in numbers[:3] for one in (*row[:3], 0.0))


def apply_modulate(options: DitOptions, value: object) -> None:
    given = require_object("modulate", value)
    parts = {
        name: require_number(name, given.get(name, neutral))
        for name, neutral in (("brightness", 1), ("saturation", 1), ("hue", 0), ("lightness", 0))
    }
    if parts["saturation"] < 0 or parts["brightness"] < 0:
        raise bad_option("modulate", "saturation and brightness must not be negative")
    change = Lch(parts["brightness"], parts["saturation"], parts["hue"] % 360, parts["lightness"])
    options.lch = change if change != Lch() else None


def apply_linear(options: DitOptions, value: object) -> None:
    """Apply ``linear``. DIT passes one argument, the factor."""
    if value is not None:
        options.tones["linear"] = linear(require_number("linear", value))


def apply_tint(options: DitOptions, value: object) -> None:
    options.values["tint"] = require_colour("tint", value)[:6]


def apply_extract_channel(options: DitOptions, value: object) -> None:
    channel = _CHANNELS.get(value if isinstance(value, str | int) else None)
    if channel is None:
        raise bad_option("extractChannel", "it must be red, green or blue")
    row = [0.0, 0.0, 0.0]
    row[channel] = 1.0
    options.tones["extractChannel"] = lightness(row)
    options.drops_alpha = True


def apply_to_colourspace(options: DitOptions, value: object) -> None:
    if value in ("b-w", "bw"):
        options.grey = True
    elif value not in ("srgb", "rgb"):
        raise bad_option("toColourspace", "only srgb and b-w are supported")
