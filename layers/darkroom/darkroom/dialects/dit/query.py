"""Parse DIT's third form: edits in the query, which override those of the path, by names of version 7 or 8."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ...errors import BadOption
from ...image_keys import unquote
from ..common.mapping import OptionMapping, find_parser, index_by_name
from ..common.validate import bad_option
from .model import require_int
from .thumbor_path import QUALITY

type Edits = dict[str, object]
type ParameterParser = Callable[[Edits, str], None]

_SCALAR = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_ELSEWHERE = "the deployment's moderation_policy decides this for all images"


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


def _make_edit_parser(name: str) -> ParameterParser:
    def read(edits: Edits, text: str) -> None:
        edits[name] = parse_value(text)

    return read


def _make_field_parser(edit: str, name: str) -> ParameterParser:
    """Return the parser of one field of an edit. It replaces an edit that is not an object."""

    def read(edits: Edits, text: str) -> None:
        given = edits.get(edit)
        fields = given if isinstance(given, dict) else {}
        edits[edit] = fields | {name: parse_value(text)}

    return read


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


def _make_true_switch(edit: str) -> ParameterParser:
    """Return the parser of an edit that sharp treats as on for every value: ``false`` omits it."""

    def read(edits: Edits, text: str) -> None:
        if parse_value(text) is not False:
            edits[edit] = True

    return read


def _map(
    name: str, read: ParameterParser, to: str, arguments: str = "", note: str = ""
) -> OptionMapping[ParameterParser]:
    return OptionMapping(name, maps_to=to, arguments=arguments, note=note, parse=read, group="query 8")


VERSION_8_MAPPINGS: tuple[OptionMapping[ParameterParser], ...] = (
    _map("resize.width", _make_field_parser("resize", "width"), "w"),
    _map("resize.height", _make_field_parser("resize", "height"), "h"),
    _map("resize.fit", _make_field_parser("resize", "fit"), "fit"),
    _map("resize.background", _parse_background, "bgm", "color"),
    _map("resize.withoutEnlargement", _make_field_parser("resize", "withoutEnlargement"), "up"),
    _map("resize.ratio", _make_field_parser("resize", "ratio"), "zoom"),
    _map("extract", _parse_extract, "crop", "left,top,right,bottom", "Before the resize."),
    _map("quality", _parse_quality, "q", note="For all formats."),
    _map("blur", _make_edit_parser("blur"), "blur"),
    _map("flatten", _parse_flatten, "bg", "color"),
    _map("tint", _parse_tint, "tint", "color"),
    _map("sharpen", _make_edit_parser("sharpen"), "conv"),
    _map("sharpen.sigma", _make_field_parser("sharpen", "sigma"), "sharp", note="Other fields of sharpen are refused."),
    _map("convolve.width", _make_field_parser("convolve", "width"), "conv"),
    _map("convolve.height", _make_field_parser("convolve", "height"), "conv"),
    _map("convolve.kernel", _make_field_parser("convolve", "kernel"), "conv"),
    _map("normalize", _make_true_switch("normalise"), "lev=stretch"),
    _map("smartCrop", _make_edit_parser("smartCrop"), "face"),
    _map(
        "smartCrop.index",
        _make_field_parser("smartCrop", "faceIndex"),
        "face",
        note="Other fields of version 8.1 are refused.",
    ),
    _map("smartCrop.padding", _make_field_parser("smartCrop", "padding"), "face"),
    _map("animated", _make_edit_parser("animated"), "anim"),
    _map("stripExif", _make_edit_parser("stripExif"), "", note="No effect."),
    _map("stripIcc", _make_edit_parser("stripIcc"), "", note="No effect."),
    OptionMapping("watermark", refused="use overlayWith in a base64 request", group="query 8"),
    OptionMapping("contentModeration", refused=_ELSEWHERE, group="query 8"),
)
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
            try:
                found[name] = unquote(value)
            except (UnicodeError, ValueError) as error:
                raise BadOption("The query is not percent-encoded UTF-8", option=name) from error
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


def _make_box_parser(name: str) -> ParameterParser:
    def read(edits: Edits, value: str) -> None:
        length: object = value
        if name != "fit":
            length = None if value == "0" else _parse_int(name, value)
        resize = edits.setdefault("resize", {})
        assert isinstance(resize, dict)
        resize[name] = length

    return read


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


def _make_switch(edit: str) -> ParameterParser:
    def read(edits: Edits, value: str) -> None:
        edits[edit] = value.lower() not in _FALSE

    return read


def _ignore(_edits: Edits, _: str) -> None:
    pass


PARAMETER_MAPPINGS: tuple[OptionMapping[ParameterParser], ...] = (
    OptionMapping("format", maps_to="f", note="As toFormat.", parse=_parse_format, group="query"),
    OptionMapping("fit", maps_to="fit", note="As in resize.", parse=_make_box_parser("fit"), group="query"),
    OptionMapping("width", maps_to="w", note="0 and nothing are none.", parse=_make_box_parser("width"), group="query"),
    OptionMapping(
        "height", maps_to="h", note="0 and nothing are none.", parse=_make_box_parser("height"), group="query"
    ),
    OptionMapping("rotate", maps_to="rot, angle", note="As the edit.", parse=_parse_rotate, group="query"),
    OptionMapping("flip", maps_to="flip", parse=_make_switch("flip"), group="query"),
    OptionMapping("flop", maps_to="flip", parse=_make_switch("flop"), group="query"),
    OptionMapping("grayscale", ("greyscale",), maps_to="gray", parse=_make_switch("greyscale"), group="query"),
    OptionMapping("expires", arguments="YYYYMMDDTHHmmssZ", note="Checked.", parse=_ignore, group="query"),
    OptionMapping("signature", note="Checked.", parse=_ignore, group="query"),
)
"""``QUERY_PARAM_MAPPING`` in ``query-param-mapper.ts``, and parameters of ``image-request.ts``."""

_PARAMETERS_BY_NAME = index_by_name((*PARAMETER_MAPPINGS, *VERSION_8_MAPPINGS))
