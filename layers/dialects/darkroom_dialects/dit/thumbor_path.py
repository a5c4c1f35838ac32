"""Parse DIT's second form, a subset of thumbor's paths: ``/fit-in/300x200/filters:quality(80)/image.jpg``.

DIT finds each segment at any position and removes it; the rest is the key. Filters become edits of sharp, in
alphabetical order, as in ``thumbor-mapper.ts``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from darkroom.errors import BadKey
from darkroom.plan.model import IMAGE_FORMATS

from ..common.mapping import find_parser, index_by_name, list_options
from ..common.validate import BAD_PATH, bad_option, decode_text
from .model import DitRequest, Json

type Edits = dict[str, object]
type FilterParser = Callable[[Edits, str], None]

_CROP = re.compile("[0-9]{1,6}x[0-9]{1,6}:[0-9]{1,6}x[0-9]{1,6}")
_SIZE = re.compile("/([0-9]+)x([0-9]+)/")
_FILTERS = re.compile(r"filters(?::[^)]*\))+")
_BUCKET = re.compile("(?:^|/)s3:([A-Za-z0-9._-]{1,255})/")
_NO_KEY = [
    re.compile("/[0-9]+x[0-9]+:[0-9]+x[0-9]+(?=/)"),
    re.compile("/[0-9]+x[0-9]+(?=/)"),
    re.compile(r"filters:watermark\(.*\)"),
    re.compile("filters:[^/]+"),
    re.compile("/fit-in(?=/)"),
]
"""Patterns that DIT removes from a path, in order, to find the key."""

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}))\s*")
_POSITION = re.compile("(?:100|[1-9]?[0-9]|-(?:100|[1-9][0-9]?))p|-?[0-9]+")


def parse_request(path: str) -> DitRequest:
    """Parse ``path``, which is raw. Raises BadKey or BadOption."""
    edits: Edits = {}
    for part in SEGMENT_MAPPINGS:
        find_parser(_SEGMENTS_BY_NAME, part.name)(edits, path)
    for name, arguments in _find_filters(path):
        if name in _FILTERS_BY_NAME:
            find_parser(_FILTERS_BY_NAME, name)(edits, arguments)
    quality = edits.pop(QUALITY, None)
    assert isinstance(quality, int | None)
    return DitRequest(_find_address(path), edits, quality=quality)


QUALITY = " quality"
"""The name, among edits, of a quality for all formats. No edit has this name."""


def _find_address(path: str) -> str:
    bucket = _BUCKET.search(path)
    key = path
    for pattern in _NO_KEY:
        key = pattern.sub("", key)
    if bucket is None:
        return key.lstrip("/")
    return f"s3://{bucket[1]}/{key.replace(f's3:{bucket[1]}/', '', 1).lstrip('/')}"


def _parse_crop(edits: Edits, path: str) -> None:
    if match := _CROP.search(path):
        left, top, right, bottom = map(int, re.split("[x:]", match[0]))
        edits["crop"] = {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _parse_resize(edits: Edits, path: str) -> None:
    if match := _SIZE.search(path):
        if max(map(len, match.groups())) > 9:
            raise bad_option("size", "sides can have at most 9 digits")
        width, height = map(int, match.groups())
        edits["resize"] = {"width": width or None, "height": height or None} | (
            {} if width and height else {"fit": "inside"}
        )


def _parse_fit_in(edits: Edits, path: str) -> None:
    if "fit-in" in path:
        _resize_edit(edits)["fit"] = "inside"


def _ignore(_edits: Edits, _: str) -> None:
    pass


def _find_filters(path: str) -> list[tuple[str, str]]:
    """Return name and arguments of each filter, decoded, sorted as a whole."""
    written = sorted(call for match in _FILTERS.finditer(path) for call in match[0].split(":")[1:])
    return [parts for call in written if (parts := _split_call(decode_text(call, BadKey, BAD_PATH)))]


def _split_call(call: str) -> tuple[str, str] | None:
    """Return what DIT's pattern ``(.+)\\((.*)\\)`` finds, in linear time; None if there is no match."""
    closed = call.rfind(")")
    opened = call.rfind("(", 0, max(closed, 0))
    return (call[:opened], call[opened + 1 : closed]) if opened > 0 else None


def _resize_edit(edits: Edits) -> Edits:
    resize = edits.setdefault("resize", {})
    assert isinstance(resize, dict)
    return resize


def parse_number(name: str, text: str) -> float:
    """Parse a number. Raises BadOption."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise bad_option(name, "arguments must be numbers")
    return float(match[1])


def _parse_background_color(edits: Edits, text: str) -> None:
    edits["flatten"] = {"background": text}


def _parse_blur(edits: Edits, text: str) -> None:
    radius, _, sigma = text.partition(",")
    edits["blur"] = parse_number("blur", sigma) if sigma.strip() else parse_number("blur", radius) / 2


def _parse_convolution(edits: Edits, text: str) -> None:
    matrix, columns, *_ = [*text.split(","), ""]
    kernel = [parse_number("convolution", one) for one in matrix.split(";")]
    width = int(parse_number("convolution", columns))
    height = -(-len(kernel) // width) if width > 0 else 0
    edits["convolve"] = {"width": width, "height": height, "kernel": kernel}


def _parse_fill(edits: Edits, text: str) -> None:
    _resize_edit(edits).update(fit="contain", background=text)


def _parse_format(edits: Edits, text: str) -> None:
    output = re.sub("[^0-9a-z]", "", text, flags=re.IGNORECASE).replace("jpg", "jpeg")
    if output in (*IMAGE_FORMATS, "heic", "heif", "raw", "tif", "tiff"):
        edits["toFormat"] = output


def _set_resize(field: str, value: object, edits: Edits, _: str) -> None:
    _resize_edit(edits)[field] = value


def _parse_proportion(edits: Edits, text: str) -> None:
    """Scale the box if it has both sides, else the source."""
    resize, ratio = _resize_edit(edits), parse_number("proportion", text)
    sides = {name: side for name in ("width", "height") if isinstance(side := resize.get(name), int)}
    resize.update({name: side * ratio for name, side in sides.items()} if len(sides) == 2 else {"ratio": ratio})


def _parse_quality(edits: Edits, text: str) -> None:
    edits[QUALITY] = int(parse_number("quality", text))


def _parse_rgb(edits: Edits, text: str) -> None:
    percentages = [parse_number("rgb", one) for one in text.split(",")]
    if len(percentages) != 3:
        raise bad_option("rgb", "it must have three percentages")
    edits["tint"] = dict(zip("rgb", (2.55 * percent for percent in percentages), strict=True))


def _parse_rotate(edits: Edits, text: str) -> None:
    edits["rotate"] = parse_number("rotate", text) if text else None


def _parse_sharpen(edits: Edits, text: str) -> None:
    _, radius, *_ = [*text.split(","), ""]
    edits["sharpen"] = 1 + parse_number("sharpen", radius) / 2


def _parse_stretch(edits: Edits, _: str) -> None:
    resize = _resize_edit(edits)
    if resize.get("fit") != "inside":
        resize["fit"] = "fill"


def _parse_watermark(edits: Edits, text: str) -> None:
    bucket, key, x, y, alpha, across, down, *_ = [*re.sub(r"\s", "", text).split(","), *[""] * 7]
    offsets: Json = {name: one for name, one in (("left", x), ("top", y)) if _POSITION.fullmatch(one)}
    edits["overlayWith"] = {"bucket": bucket, "key": key, "alpha": alpha, "wRatio": across, "hRatio": down} | {
        "options": offsets
    }


def _parse_animated(edits: Edits, text: str) -> None:
    edits["animated"] = text.lower() != "false"


def _parse_smart_crop(edits: Edits, text: str) -> None:
    index, padding, *_ = [*text.split(","), ""]
    edits["smartCrop"] = {
        name: int(parse_number("smart_crop", one))
        for name, one in (("faceIndex", index), ("padding", padding))
        if one.strip()
    }


def _set_edit(edit: str, value: object, edits: Edits, _: str) -> None:
    edits[edit] = value


_SEGMENT_PARSERS: Mapping[str, FilterParser] = {
    "crop": _parse_crop,
    "size": _parse_resize,
    "fit-in": _parse_fit_in,
    "s3:": _ignore,
}

_FILTER_PARSERS: Mapping[str, FilterParser] = {
    "animated": _parse_animated,
    "autojpg": partial(_set_edit, "toFormat", "jpeg"),
    "background_color": _parse_background_color,
    "blur": _parse_blur,
    "convolution": _parse_convolution,
    "equalize": partial(_set_edit, "normalise", True),
    "fill": _parse_fill,
    "format": _parse_format,
    "grayscale": partial(_set_edit, "greyscale", True),
    "no_upscale": partial(_set_resize, "withoutEnlargement", True),
    "proportion": _parse_proportion,
    "quality": _parse_quality,
    "rgb": _parse_rgb,
    "rotate": _parse_rotate,
    "sharpen": _parse_sharpen,
    "smart_crop": _parse_smart_crop,
    "stretch": _parse_stretch,
    "strip_exif": partial(_set_edit, "stripExif", True),
    "strip_icc": partial(_set_edit, "stripIcc", True),
    "upscale": partial(_set_resize, "fit", "inside"),
    "watermark": _parse_watermark,
}

SEGMENT_MAPPINGS = list_options(_SEGMENT_PARSERS, group="path")
FILTER_MAPPINGS = list_options(_FILTER_PARSERS, group="filters")
"""The filters of ``mapFilter`` in ``thumbor-mapper.ts``."""

_SEGMENTS_BY_NAME = index_by_name(SEGMENT_MAPPINGS)
_FILTERS_BY_NAME = index_by_name(FILTER_MAPPINGS)
