"""Parse DIT's third form: edits in the query, which override those of the path, by names of version 7 or 8."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from darkroom.errors import BadOption

from ..common.mapping import find_parser, index_by_name, list_options
from ..common.validate import bad_option, decode_text
from .model import require_int
from .thumbor_path import QUALITY

type Edits = dict[str, object]
type ParameterParser = Callable[[Edits, str], None]

_SCALAR = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")


def parse_value(text: str) -> object:
    """Parse a number, a boolean, a list of these, or text; None for empty text."""
    if "," in text or "[" in text:
        return [_parse_scalar(part.strip()) for part in text.strip("[]").split(",")]
    return _parse_scalar(text)


def _parse_scalar(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    if _SCALAR.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text or None


def _parse_edit(edit: str, edits: Edits, text: str) -> None:
    edits[edit] = parse_value(text)


def _parse_field(edit: str, name: str, edits: Edits, text: str) -> None:
    """Parse one field of an edit. It replaces an edit that is not an object."""
    given = edits.get(edit)
    fields = given if isinstance(given, dict) else {}
    edits[edit] = fields | {name: parse_value(text)}


def _parse_colour(name: str, text: str) -> object:
    value = parse_value(text)
    if not isinstance(value, list):
        return text
    if len(value) not in (3, 4):
        raise bad_option(name, "a colour must have three or four numbers")
    return dict(zip(("r", "g", "b", "alpha"), value, strict=False))


def _parse_background(edits: Edits, text: str) -> None:
    resize = edits.setdefault("resize", {})
    assert isinstance(resize, dict)
    resize["background"] = _parse_colour("resize.background", text)


def _parse_flatten(edits: Edits, text: str) -> None:
    edits["flatten"] = {"background": _parse_colour("flatten", text)}


def _parse_tint(edits: Edits, text: str) -> None:
    edits["tint"] = _parse_colour("tint", text)


def _parse_extract(edits: Edits, text: str) -> None:
    value = parse_value(text)
    if not isinstance(value, list) or len(value) != 4:
        raise bad_option("extract", "it must be left, top, right and bottom")
    left, top, right, bottom = (require_int("extract", one) for one in value)
    edits["extract"] = {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _parse_quality(edits: Edits, text: str) -> None:
    edits[QUALITY] = require_int("quality", parse_value(text))


def _parse_normalize(edits: Edits, text: str) -> None:
    """Parse an edit that sharp treats as on for every value: ``false`` omits it."""
    if parse_value(text) is not False:
        edits["normalise"] = True


_VERSION_8_PARSERS: Mapping[str, ParameterParser] = {
    "resize.width": partial(_parse_field, "resize", "width"),
    "resize.height": partial(_parse_field, "resize", "height"),
    "resize.fit": partial(_parse_field, "resize", "fit"),
    "resize.background": _parse_background,
    "resize.withoutEnlargement": partial(_parse_field, "resize", "withoutEnlargement"),
    "resize.ratio": partial(_parse_field, "resize", "ratio"),
    "extract": _parse_extract,
    "quality": _parse_quality,
    "blur": partial(_parse_edit, "blur"),
    "flatten": _parse_flatten,
    "tint": _parse_tint,
    "sharpen": partial(_parse_edit, "sharpen"),
    "sharpen.sigma": partial(_parse_field, "sharpen", "sigma"),
    "convolve.width": partial(_parse_field, "convolve", "width"),
    "convolve.height": partial(_parse_field, "convolve", "height"),
    "convolve.kernel": partial(_parse_field, "convolve", "kernel"),
    "normalize": _parse_normalize,
    "smartCrop": partial(_parse_edit, "smartCrop"),
    "smartCrop.index": partial(_parse_field, "smartCrop", "faceIndex"),
    "smartCrop.padding": partial(_parse_field, "smartCrop", "padding"),
    "animated": partial(_parse_edit, "animated"),
    "stripExif": partial(_parse_edit, "stripExif"),
    "stripIcc": partial(_parse_edit, "stripIcc"),
}

_VERSION_8_REFUSED = {
    "watermark": "use overlayWith in a base64 request",
    "contentModeration": "the deployment's moderation_policy decides this for all images",
}

VERSION_8_MAPPINGS = list_options(_VERSION_8_PARSERS, _VERSION_8_REFUSED, "query 8")
"""``transformationSchemas`` without parameters that version 7 has by the same name."""

VERSION_8_BASES = frozenset(name.partition(".")[0] for one in VERSION_8_MAPPINGS for name in one.names)
"""Names before the dot of version 8 parameters. Unknown fields of them are refused by name."""


_EXPIRES = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_FALSE = frozenset({"", "0", "false"})
_NUMBER = re.compile(r"([+-]?[0-9]{1,9})(?:\.[0-9]*)?")
_SEPARATORS = re.compile("[&=]")
"""Separators of pairs in a signed message: see :func:`parse_parameters`."""


def parse_parameters(query: str) -> dict[str, str]:
    """Return DIT's parameters, decoded and sorted. The last of several with one name applies.

    Other parameters are ignored, except fields of version 8 parameters, so that they can be refused by name. DIT's
    CloudFront Function sorts parameters, which decides whether a rotation precedes the resize.

    Raises BadOption unless the query is percent-encoded UTF-8, or if a decoded value has a separator: DIT signs decoded
    values without escapes, so that ``height=7%26width%3D9`` and ``height=7&width=9`` share a signature there. No value
    of DIT needs a separator; without them a signed message has exactly one list of parameters.
    """
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in _PARAMETERS_BY_NAME or (name.partition(".")[0] in VERSION_8_BASES and "." in name):
            found[name] = decode_text(value, partial(BadOption, option=name), "The query is not percent-encoded UTF-8")
            if _SEPARATORS.search(found[name]):
                raise bad_option(name, "its value must not contain & or =")
    return dict(sorted(found.items()))


def convert_parameters(parameters: Mapping[str, str]) -> Edits:
    """Convert ``parameters`` to edits, as in DIT's ``query-param-mapper.ts``.

    Raises UnknownOption for unsupported fields of version 8.
    """
    edits: Edits = {}
    for name, value in parameters.items():
        find_parser(_PARAMETERS_BY_NAME, name)(edits, value)
    return edits


def parse_expires(text: str) -> int:
    """Parse ``YYYYMMDDTHHmmssZ`` to Unix time. Raises BadOption."""
    from datetime import UTC, datetime

    try:
        match = _EXPIRES.fullmatch(text)
        if match is not None:
            year, month, day, hour, minute, second = map(int, match.groups())
            return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        pass
    raise bad_option("expires", "it must be a time like 20300102T120304Z")


def _parse_box(name: str, edits: Edits, value: str) -> None:
    length: object = value
    if name != "fit":
        length = None if value == "0" else _parse_int(name, value)
    resize = edits.setdefault("resize", {})
    assert isinstance(resize, dict)
    resize[name] = length


def _parse_int(name: str, value: str) -> int | None:
    """Parse an integer, without its decimals. Text after it is refused; DIT's ``parseInt`` ignores it."""
    if value == "":
        return None
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise bad_option(name, "it must be a whole number")
    return int(match[1])


def _parse_rotate(edits: Edits, value: str) -> None:
    edits["rotate"] = _parse_int("rotate", value)


def _parse_format(edits: Edits, value: str) -> None:
    edits["toFormat"] = value


def _parse_switch(edit: str, edits: Edits, value: str) -> None:
    edits[edit] = value.lower() not in _FALSE


def _ignore(_edits: Edits, _: str) -> None:
    pass


_PARSERS: Mapping[str, ParameterParser] = {
    "format": _parse_format,
    "fit": partial(_parse_box, "fit"),
    "width": partial(_parse_box, "width"),
    "height": partial(_parse_box, "height"),
    "rotate": _parse_rotate,
    "flip": partial(_parse_switch, "flip"),
    "flop": partial(_parse_switch, "flop"),
    "grayscale greyscale": partial(_parse_switch, "greyscale"),
    "expires": _ignore,
    "signature": _ignore,
}

PARAMETER_MAPPINGS = list_options(_PARSERS, group="query")
"""``QUERY_PARAM_MAPPING`` in ``query-param-mapper.ts``, and parameters of ``image-request.ts``."""

_PARAMETERS_BY_NAME = index_by_name((*PARAMETER_MAPPINGS, *VERSION_8_MAPPINGS))
