"""The query language of DIT 8: ``?resize.width=300&blur=2``, as its ``transformation-policy.ts`` describes it.

Values are read as its ``query-types.ts`` does: numbers, booleans, and lists with commas, perhaps in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..common.mapping import OptionMapping
from ..common.validate import bad_option
from .model import require_int
from .thumbor_path import QUALITY

type Edits = dict[str, object]
type ParameterParser = Callable[[Edits, str], None]

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_ELSEWHERE = "what is shown is the deployment's moderation_policy, for every image and not by URL"


def parse_value(text: str) -> object:
    """``text`` as a number, a boolean, None where it is empty, a list of these, or text."""
    if "," in text or "[" in text:
        return [_parse_scalar(part.strip()) for part in text.strip("[]").split(",")]
    return _parse_scalar(text)


def _parse_scalar(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text or None


def _make_edit_parser(name: str) -> ParameterParser:
    def read(edits: Edits, text: str) -> None:
        edits[name] = parse_value(text)

    return read


def _make_field_parser(edit: str, name: str) -> ParameterParser:
    """What reads one field of an edit that is an object; it replaces a value that is none."""

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


def _make_switch(edit: str) -> ParameterParser:
    """What reads an edit that sharp takes for on whatever its value is: ``false`` leaves it out."""

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
    _map("quality", _parse_quality, "q", note="Of whatever format comes out."),
    _map("blur", _make_edit_parser("blur"), "blur"),
    _map("flatten", _parse_flatten, "bg", "color"),
    _map("tint", _parse_tint, "tint", "color"),
    _map("sharpen", _make_edit_parser("sharpen"), "conv"),
    _map("sharpen.sigma", _make_field_parser("sharpen", "sigma"), "sharp", note="Other fields of sharpen are refused."),
    _map("convolve.width", _make_field_parser("convolve", "width"), "conv"),
    _map("convolve.height", _make_field_parser("convolve", "height"), "conv"),
    _map("convolve.kernel", _make_field_parser("convolve", "kernel"), "conv"),
    _map("normalize", _make_switch("normalise"), "lev=stretch"),
    _map("smartCrop", _make_edit_parser("smartCrop"), "face"),
    _map(
        "smartCrop.index",
        _make_field_parser("smartCrop", "faceIndex"),
        "face",
        note="Other fields of version 8.1 are refused.",
    ),
    _map("smartCrop.padding", _make_field_parser("smartCrop", "padding"), "face"),
    _map("animated", _make_edit_parser("animated"), "anim"),
    _map("stripExif", _make_edit_parser("stripExif"), "", note="Nothing to do."),
    _map("stripIcc", _make_edit_parser("stripIcc"), "", note="Nothing to do."),
    OptionMapping("watermark", refused="overlayWith of a request in base64 is", group="query 8"),
    OptionMapping("contentModeration", refused=_ELSEWHERE, group="query 8"),
)
"""``transformationSchemas`` without those that :mod:`.query` has by the same name."""

VERSION_8_BASES = frozenset(name.partition(".")[0] for one in VERSION_8_MAPPINGS for name in one.names)
"""What stands before the dot of a parameter of version 8: any other field of them is refused by name."""
