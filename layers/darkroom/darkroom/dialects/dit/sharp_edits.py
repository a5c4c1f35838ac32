"""Calls of sharp that are neither of geometry's sums nor of colour alone: each comes to options of ours by itself."""

from __future__ import annotations

from collections.abc import Callable

from ...plan.model import Clahe, Convolution, Crop, Padding, TrimOptions
from ..common.validate import refused
from .geometry import BLACK, has_box
from .model import Json, Wanted, colour, is_on, mapping, number, options, whole

type EditReader = Callable[[Wanted, object], None]

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


def nothing(_wanted: Wanted, _: object) -> None:
    pass


def resize(wanted: Wanted, value: object) -> None:
    wanted.resize = mapping("resize", value)
    wanted.resized = has_box(wanted.resize) or bool(wanted.resize.get("ratio"))
    wanted.turn_first = bool(wanted.turn)


def rotate(wanted: Wanted, value: object) -> None:
    if value is not None:
        wanted.turn = number("rotate", value) % 360


def flip(wanted: Wanted, value: object) -> None:
    wanted.flip = is_on(value)


def flop(wanted: Wanted, value: object) -> None:
    wanted.flop = is_on(value)


def region(name: str) -> EditReader:
    """What reads ``extract`` and ``crop``: a region of the source, as long as nothing has been done to it yet."""

    def read(wanted: Wanted, value: object) -> None:
        given = mapping(name, value)
        if wanted.resized or wanted.turn or wanted.crop:
            raise refused(name, "there can be one region of the source here, before it is resized or turned")
        wanted.crop = Crop("px", *(whole(name, given.get(part)) for part in ("left", "top", "width", "height")))

    return read


def trim(wanted: Wanted, value: object) -> None:
    given = options(value)
    threshold = (
        value if isinstance(value, int | float) and value is not True else given.get("threshold", TRIM_THRESHOLD)
    )
    if given.get("margin"):
        raise refused("trim", "it leaves no margin here")
    wanted.values["trim"] = max(MIN_TRIM, round(number("trim", threshold)))
    if given.get("background") is not None:
        wanted.values["trimx"] = TrimOptions(colour("background", given["background"]))


def extend(wanted: Wanted, value: object) -> None:
    given = (
        dict.fromkeys(("top", "right", "bottom", "left"), value) if isinstance(value, int) else mapping("extend", value)
    )
    if given.get("extendWith", "background") != "background":
        raise refused("extend", "it must be with background here")
    sides = (whole("extend", given.get(side) or 0) for side in ("top", "right", "bottom", "left"))
    wanted.once("extend", pad=Padding(*sides), bgm=colour("background", given.get("background", BLACK)))


def flatten(wanted: Wanted, value: object) -> None:
    if is_on(value):
        wanted.once("flatten", bg=colour("background", options(value).get("background", BLACK)))


def blur(wanted: Wanted, value: object) -> None:
    if not is_on(value):
        return
    sigma = options(value).get("sigma") if isinstance(value, dict) else value
    if sigma is True or sigma is None:
        wanted.once("blur", conv=MILD_BLUR)
    else:
        wanted.values["blur"] = float(number("blur", sigma))


def sharpen(wanted: Wanted, value: object) -> None:
    if not is_on(value):
        return
    sigma = options(value).get("sigma") if isinstance(value, dict) else value
    if sigma is True or sigma is None:
        wanted.once("sharpen", conv=MILD_SHARPENING)
    else:
        wanted.values["sharp"] = float(number("sharpen", sigma))


def convolve(wanted: Wanted, value: object) -> None:
    given = mapping("convolve", value)
    kernel = given.get("kernel")
    weights = [float(number("convolve", one)) for one in kernel] if isinstance(kernel, list) else []
    width, height = (whole("convolve", given.get(name)) for name in ("width", "height"))
    if not weights or width * height != len(weights):
        raise refused("convolve", "its kernel must have width times height numbers")
    if given.get("offset"):
        raise refused("convolve", "it adds no offset here")
    scale = given.get("scale") if isinstance(given.get("scale"), int) else sum(weights)
    divisor = max(1.0, float(number("convolve", scale)))
    normal = divisor == sum(weights)
    wanted.once("convolve", conv=Convolution(width, normal, tuple(one if normal else one / divisor for one in weights)))


def median(wanted: Wanted, value: object) -> None:
    wanted.values["med"] = MEDIAN_PX if value is None else whole("median", value)


def threshold(wanted: Wanted, value: object) -> None:
    level = THRESHOLD if value is None or value is True else value
    wanted.values["thr"] = 0 if level is False else whole("threshold", level)
    wanted.alpha = wanted.alpha or ("threshold" if wanted.values["thr"] else "")


def normalise(wanted: Wanted, value: object) -> None:
    given = options(value)
    if given.get("lower", 1) != 1 or given.get("upper", 99) != 99:
        raise refused("normalise", "it is from 1 to 99 percent here")
    wanted.values["lev"] = "stretch"


def clahe(wanted: Wanted, value: object) -> None:
    given = mapping("clahe", value)
    slope = given.get("maxSlope", CLAHE_SLOPE)
    window = (whole("clahe", given.get("width")), whole("clahe", given.get("height")))
    if not 1 <= min(window) <= max(window) <= MAX_CLAHE_WINDOW_PX:
        raise refused("clahe", f"its width and height must be from 1 to {MAX_CLAHE_WINDOW_PX} here")
    if not 0 <= whole("clahe", slope) <= MAX_CLAHE_SLOPE:
        raise refused("clahe", f"maxSlope must be from 0 to {MAX_CLAHE_SLOPE}")
    wanted.values["clahe"] = Clahe(*window, whole("clahe", slope))


def ensure_alpha(_wanted: Wanted, value: object) -> None:
    if value not in (None, True, 1):
        raise refused("ensureAlpha", "it must be opaque here")


def to_format(wanted: Wanted, value: object) -> None:
    wanted.output = format_of(value)


def format_of(value: object) -> str:
    """Our name of an output format; raises BadOption that names those that there are."""
    output = FORMATS.get(value) if isinstance(value, str) else None
    if output is None:
        raise refused("toFormat", f"it must be one of {', '.join(FORMATS)} here")
    return output


def encoder(output: str) -> EditReader:
    """What reads the edit of format ``output``: it is the format too, unless another one is named."""

    def read(wanted: Wanted, value: object) -> None:
        given: Json = options(value)
        for name in ("lossless", "nearLossless"):
            if given.get(name):
                raise refused(output, f"it is not {name} here; png is")
        wanted.written = output
        if given.get("quality") is not None:
            wanted.qualities[output] = whole("quality", given["quality"])
        if output == "jpeg" and given.get("progressive") is False:
            wanted.values["base"] = True

    return read
