"""Calls of sharp that are neither of geometry's sums nor of colour alone: each comes to options of ours by itself."""

from __future__ import annotations

from collections.abc import Callable

from ...plan.model import Clahe, Convolution, Crop, Padding, TrimOptions
from ..common.validate import bad_option
from .geometry import BLACK, has_box
from .model import (
    DitOptions,
    Json,
    is_enabled,
    object_or_empty,
    require_colour,
    require_int,
    require_number,
    require_object,
)

type EditParser = Callable[[DitOptions, object], None]

MILD_BLUR = Convolution(3, True, (1,) * 9)
MILD_SHARPENING = Convolution(3, True, (-1, -1, -1, -1, 32, -1, -1, -1, -1))
"""What sharp does without a sigma: its ``src/operations.cc``."""

TRIM_THRESHOLD = 10
MIN_TRIM = 1
MEDIAN_PX = 3
CLAHE_SLOPE = 3
THRESHOLD = 128
"""What sharp takes where an argument is missing. 1 is our smallest trim, 0 is off."""

MAX_CLAHE_SLOPE = 100
MAX_CLAHE_WINDOW_PX = 256
"""A window of 200 px takes 1.2 s of CPU per megapixel, one of 800 px 8 s."""

FORMATS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif"} | {
    "tif": "tiff",
    "tiff": "tiff",
}


def ignore(_options: DitOptions, _: object) -> None:
    pass


def apply_resize(options: DitOptions, value: object) -> None:
    options.resize = require_object("resize", value)
    options.resized = has_box(options.resize) or bool(options.resize.get("ratio"))
    options.turn_first = bool(options.turn)


def apply_rotate(options: DitOptions, value: object) -> None:
    if value is not None:
        options.turn = require_number("rotate", value) % 360


def apply_flip(options: DitOptions, value: object) -> None:
    options.flip = is_enabled(value)


def apply_flop(options: DitOptions, value: object) -> None:
    options.flop = is_enabled(value)


def make_region_parser(name: str) -> EditParser:
    """What reads ``extract`` and ``crop``: a region of the source, as long as nothing has been done to it yet."""

    def read(options: DitOptions, value: object) -> None:
        given = require_object(name, value)
        if options.resized or options.turn or options.crop:
            raise bad_option(name, "there can be one region of the source here, before it is resized or turned")
        options.crop = Crop("px", *(require_int(name, given.get(part)) for part in ("left", "top", "width", "height")))

    return read


def apply_trim(options: DitOptions, value: object) -> None:
    given = object_or_empty(value)
    threshold = (
        value if isinstance(value, int | float) and value is not True else given.get("threshold", TRIM_THRESHOLD)
    )
    if given.get("margin"):
        raise bad_option("trim", "it leaves no margin here")
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
        raise bad_option("extend", "it must be with background here")
    sides = (require_int("extend", given.get(side) or 0) for side in ("top", "right", "bottom", "left"))
    options.set_once("extend", pad=Padding(*sides), bgm=require_colour("background", given.get("background", BLACK)))


def apply_flatten(options: DitOptions, value: object) -> None:
    if is_enabled(value):
        options.set_once("flatten", bg=require_colour("background", object_or_empty(value).get("background", BLACK)))


def apply_blur(options: DitOptions, value: object) -> None:
    if not is_enabled(value):
        return
    sigma = object_or_empty(value).get("sigma") if isinstance(value, dict) else value
    if sigma is True or sigma is None:
        options.set_once("blur", conv=MILD_BLUR)
    else:
        options.values["blur"] = float(require_number("blur", sigma))


def apply_sharpen(options: DitOptions, value: object) -> None:
    if not is_enabled(value):
        return
    sigma = object_or_empty(value).get("sigma") if isinstance(value, dict) else value
    if sigma is True or sigma is None:
        options.set_once("sharpen", conv=MILD_SHARPENING)
    else:
        options.values["sharp"] = float(require_number("sharpen", sigma))


def apply_convolve(options: DitOptions, value: object) -> None:
    given = require_object("convolve", value)
    kernel = given.get("kernel")
    weights = [float(require_number("convolve", one)) for one in kernel] if isinstance(kernel, list) else []
    width, height = (require_int("convolve", given.get(name)) for name in ("width", "height"))
    if not weights or width * height != len(weights):
        raise bad_option("convolve", "its kernel must have width times height numbers")
    if given.get("offset"):
        raise bad_option("convolve", "it adds no offset here")
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
        raise bad_option("normalise", "it is from 1 to 99 percent here")
    options.values["lev"] = "stretch"


def apply_clahe(options: DitOptions, value: object) -> None:
    given = require_object("clahe", value)
    slope = given.get("maxSlope", CLAHE_SLOPE)
    window = (require_int("clahe", given.get("width")), require_int("clahe", given.get("height")))
    if not 1 <= min(window) <= max(window) <= MAX_CLAHE_WINDOW_PX:
        raise bad_option("clahe", f"its width and height must be from 1 to {MAX_CLAHE_WINDOW_PX} here")
    if not 0 <= require_int("clahe", slope) <= MAX_CLAHE_SLOPE:
        raise bad_option("clahe", f"maxSlope must be from 0 to {MAX_CLAHE_SLOPE}")
    options.values["clahe"] = Clahe(*window, require_int("clahe", slope))


def apply_ensure_alpha(_options: DitOptions, value: object) -> None:
    if value not in (None, True, 1):
        raise bad_option("ensureAlpha", "it must be opaque here")


def apply_to_format(options: DitOptions, value: object) -> None:
    options.output = parse_format(value)


def parse_format(value: object) -> str:
    """Our name of an output format; raises BadOption that names those that there are."""
    output = FORMATS.get(value) if isinstance(value, str) else None
    if output is None:
        raise bad_option("toFormat", f"it must be one of {', '.join(FORMATS)} here")
    return output


def make_encoder_parser(output: str) -> EditParser:
    """What reads the edit of format ``output``: it is the format too, unless another one is named."""

    def read(options: DitOptions, value: object) -> None:
        given: Json = object_or_empty(value)
        for name in ("lossless", "nearLossless"):
            if given.get(name):
                raise bad_option(output, f"it is not {name} here; png is")
        options.written = output
        if given.get("quality") is not None:
            options.qualities[output] = require_int("quality", given["quality"])
        if output == "jpeg" and given.get("progressive") is False:
            options.values["base"] = True

    return read
