"""DIT's second form, thumbor's paths as far as DIT knows them: ``/fit-in/300x200/filters:quality(80)/image.jpg``.

DIT looks for each part wherever it stands, and takes what it has found out of the path: the rest is the key. Filters
come to edits of sharp, in alphabetical order, as in its ``thumbor-mapper.ts``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...errors import BadKey
from ...plan.keys import unquote
from ..common.mapping import Covered, by_name, reader_of
from ..common.validate import refused
from .model import Json
from .request import Request

type Edits = dict[str, object]
type FilterReader = Callable[[Edits, str], None]

_CROP = re.compile("[0-9]{1,6}x[0-9]{1,6}:[0-9]{1,6}x[0-9]{1,6}")
_SIZE = re.compile("/([0-9]+)x([0-9]+)/")
_FILTERS = re.compile(r"filters(?::[^)]*\))+")
_CALL = re.compile(r"(.+)\((.*)\)", re.DOTALL)
_BUCKET = re.compile("(?:^|/)s3:([A-Za-z0-9._-]{1,255})/")
_NO_KEY = [
    re.compile("/[0-9]+x[0-9]+:[0-9]+x[0-9]+(?=/)"),
    re.compile("/[0-9]+x[0-9]+(?=/)"),
    re.compile(r"filters:watermark\(.*\)"),
    re.compile("filters:[^/]+"),
    re.compile("/fit-in(?=/)"),
]
"""What DIT takes out of a path, one after the other, so that the key is left."""

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}))\s*")
_POSITION = re.compile("(?:100|[1-9]?[0-9]|-(?:100|[1-9][0-9]?))p|-?[0-9]+")


def request_of(path: str) -> Request:
    """The request in ``path``, which is raw; raises BadKey or BadOption."""
    edits: Edits = {}
    for part in PARTS:
        reader_of(_PART_TABLE, part.name)(edits, path)
    for name, arguments in _calls(path):
        if name in _TABLE:
            reader_of(_TABLE, name)(edits, arguments)
    quality = edits.pop(QUALITY, None)
    assert isinstance(quality, int | None)
    return Request(_address(path), edits, quality=quality)


QUALITY = " quality"
"""Where a quality of whatever format comes out is kept among edits: no edit has a name like this."""


def _address(path: str) -> str:
    bucket = _BUCKET.search(path)
    key = path
    for pattern in _NO_KEY:
        key = pattern.sub("", key)
    if bucket is None:
        return key.lstrip("/")
    return f"s3://{bucket[1]}/{key.replace(f's3:{bucket[1]}/', '', 1).lstrip('/')}"


def _crop(edits: Edits, path: str) -> None:
    if match := _CROP.search(path):
        left, top, right, bottom = map(int, re.split("[x:]", match[0]))
        edits["crop"] = {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _resize(edits: Edits, path: str) -> None:
    if match := _SIZE.search(path):
        if max(map(len, match.groups())) > 9:
            raise refused("size", "a side has at most 9 digits here")
        width, height = map(int, match.groups())
        edits["resize"] = {"width": width or None, "height": height or None} | (
            {} if width and height else {"fit": "inside"}
        )


def _fit_in(edits: Edits, path: str) -> None:
    if "fit-in" in path:
        _resized(edits)["fit"] = "inside"


def _in_the_address(_edits: Edits, _: str) -> None:
    pass


def _calls(path: str) -> list[tuple[str, str]]:
    """Name and arguments of each filter, decoded, in alphabetical order of the whole."""
    written = sorted(call for match in _FILTERS.finditer(path) for call in match[0].split(":")[1:])
    return [(match[1], match[2]) for call in written if (match := _CALL.search(_decoded(call)))]


def _decoded(text: str) -> str:
    try:
        return unquote(text)
    except (UnicodeError, ValueError) as error:
        raise BadKey("The path is not percent-encoded UTF-8", detail=str(error)) from error


def _resized(edits: Edits) -> Edits:
    resize = edits.setdefault("resize", {})
    assert isinstance(resize, dict)
    return resize


def number(name: str, text: str) -> float:
    """``text`` as a number; raises BadOption if it is none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise refused(name, "its arguments must be numbers")
    return float(match[1])


def _background_color(edits: Edits, text: str) -> None:
    edits["flatten"] = {"background": text}


def _blur(edits: Edits, text: str) -> None:
    radius, _, sigma = text.partition(",")
    edits["blur"] = number("blur", sigma) if sigma.strip() else number("blur", radius) / 2


def _convolution(edits: Edits, text: str) -> None:
    matrix, columns, *_ = [*text.split(","), ""]
    kernel = [number("convolution", one) for one in matrix.split(";")]
    width = int(number("convolution", columns))
    height = -(-len(kernel) // width) if width > 0 else 0
    edits["convolve"] = {"width": width, "height": height, "kernel": kernel}


def _fill(edits: Edits, text: str) -> None:
    _resized(edits).update(fit="contain", background=text)


def _format(edits: Edits, text: str) -> None:
    output = re.sub("[^0-9a-z]", "", text, flags=re.IGNORECASE).replace("jpg", "jpeg")
    if output in ("heic", "heif", "jpeg", "png", "raw", "tif", "tiff", "webp", "gif", "avif"):
        edits["toFormat"] = output


def _no_upscale(edits: Edits, _: str) -> None:
    _resized(edits)["withoutEnlargement"] = True


def _proportion(edits: Edits, text: str) -> None:
    """Of the box where both of its sides are given, else of the source."""
    resize, ratio = _resized(edits), number("proportion", text)
    sides = {name: side for name in ("width", "height") if isinstance(side := resize.get(name), int)}
    resize.update({name: side * ratio for name, side in sides.items()} if len(sides) == 2 else {"ratio": ratio})


def _quality(edits: Edits, text: str) -> None:
    edits[QUALITY] = int(number("quality", text))


def _rgb(edits: Edits, text: str) -> None:
    percentages = [number("rgb", one) for one in text.split(",")]
    if len(percentages) != 3:
        raise refused("rgb", "it must have three percentages")
    edits["tint"] = dict(zip("rgb", (2.55 * percent for percent in percentages), strict=True))


def _rotate(edits: Edits, text: str) -> None:
    edits["rotate"] = number("rotate", text) if text else None


def _sharpen(edits: Edits, text: str) -> None:
    _, radius, *_ = [*text.split(","), ""]
    edits["sharpen"] = 1 + number("sharpen", radius) / 2


def _stretch(edits: Edits, _: str) -> None:
    resize = _resized(edits)
    if resize.get("fit") != "inside":
        resize["fit"] = "fill"


def _upscale(edits: Edits, _: str) -> None:
    _resized(edits)["fit"] = "inside"


def _watermark(edits: Edits, text: str) -> None:
    bucket, key, x, y, alpha, across, down, *_ = [*re.sub(r"\s", "", text).split(","), *[""] * 7]
    offsets: Json = {name: one for name, one in (("left", x), ("top", y)) if _POSITION.fullmatch(one)}
    edits["overlayWith"] = {"bucket": bucket, "key": key, "alpha": alpha, "wRatio": across, "hRatio": down} | {
        "options": offsets
    }


def _animated(edits: Edits, text: str) -> None:
    edits["animated"] = text.lower() != "false"


def _smart_crop(edits: Edits, text: str) -> None:
    index, padding, *_ = [*text.split(","), ""]
    edits["smartCrop"] = {
        name: int(number("smart_crop", one))
        for name, one in (("faceIndex", index), ("padding", padding))
        if one.strip()
    }


def _setting(edit: str, value: object) -> FilterReader:
    def read(edits: Edits, _: str) -> None:
        edits[edit] = value

    return read


PARTS: tuple[Covered[FilterReader], ...] = (
    Covered("crop", arguments="LEFTxTOP:RIGHTxBOTTOM", to="crop", read=_crop, group="path"),
    Covered("size", arguments="WIDTHxHEIGHT", to="w, h, fit, up", note="0 is none.", read=_resize, group="path"),
    Covered("fit-in", to="fit", read=_fit_in, group="path"),
    Covered("s3:", arguments="bucket", note="As bucket.", read=_in_the_address, group="path"),
)

FILTERS: tuple[Covered[FilterReader], ...] = (
    Covered("animated", arguments="true/false", to="anim", read=_animated, group="filters"),
    Covered("autojpg", to="f=jpeg", read=_setting("toFormat", "jpeg"), group="filters"),
    Covered("background_color", arguments="color", to="bg", read=_background_color, group="filters"),
    Covered("blur", arguments="radius[, sigma]", to="blur", read=_blur, group="filters"),
    Covered("convolution", arguments="matrix, columns", to="conv", read=_convolution, group="filters"),
    Covered("equalize", to="lev=stretch", read=_setting("normalise", value=True), group="filters"),
    Covered("fill", arguments="color", to="fit=letterbox, bgm", read=_fill, group="filters"),
    Covered(
        "format", arguments="format", to="f", note="heif, heic and raw are refused.", read=_format, group="filters"
    ),
    Covered("grayscale", to="gray", read=_setting("greyscale", value=True), group="filters"),
    Covered("no_upscale", to="up, cov=clip", note="With stretch it is refused.", read=_no_upscale, group="filters"),
    Covered("proportion", arguments="0.0-1.0", to="w, h, zoom", read=_proportion, group="filters"),
    Covered("quality", arguments="1-100", to="q", note="Of whatever format comes out.", read=_quality, group="filters"),
    Covered("rgb", arguments="r, g, b", to="mat", note="As tint.", read=_rgb, group="filters"),
    Covered("rotate", arguments="angle", to="rot, angle, bgm", note="After the resize.", read=_rotate, group="filters"),
    Covered(
        "sharpen",
        arguments="amount, radius, luminance_only",
        to="sharp",
        note="With a sigma of 1 + radius / 2, as in DIT.",
        read=_sharpen,
        group="filters",
    ),
    Covered("smart_crop", arguments="faceIndex, facePadding", to="face", read=_smart_crop, group="filters"),
    Covered("stretch", to="fit=fill", read=_stretch, group="filters"),
    Covered("strip_exif", note="Nothing to do.", read=_setting("stripExif", value=True), group="filters"),
    Covered("strip_icc", note="Nothing to do.", read=_setting("stripIcc", value=True), group="filters"),
    Covered("upscale", to="fit", note="The picture lies within the box.", read=_upscale, group="filters"),
    Covered(
        "watermark",
        arguments="bucket, key, xPos, yPos, alpha, wRatio, hRatio",
        to="wm, wmx",
        note="As overlayWith.",
        read=_watermark,
        group="filters",
    ),
)
"""What ``mapFilter`` in ``thumbor-mapper.ts`` knows."""

_PART_TABLE = by_name(PARTS)
_TABLE = by_name(FILTERS)
