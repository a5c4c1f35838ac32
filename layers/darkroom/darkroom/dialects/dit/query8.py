"""The query language of DIT 8: ``?resize.width=300&blur=2``, as its ``transformation-policy.ts`` describes it.

Values are read as its ``query-types.ts`` does: numbers, booleans, and lists with commas, perhaps in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..common.mapping import Covered
from ..common.validate import refused
from .model import whole
from .thumbor_path import QUALITY

type Edits = dict[str, object]
type ParameterReader = Callable[[Edits, str], None]

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_ELSEWHERE = "what is shown is the deployment's moderation_policy, for every image and not by URL"


def value_of(text: str) -> object:
    """``text`` as a number, a boolean, None where it is empty, a list of these, or text."""
    if "," in text or "[" in text:
        return [_scalar(part.strip()) for part in text.strip("[]").split(",")]
    return _scalar(text)


def _scalar(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text or None


def _edit(name: str) -> ParameterReader:
    def read(edits: Edits, text: str) -> None:
        edits[name] = value_of(text)

    return read


def _part(edit: str, name: str) -> ParameterReader:
    """What reads one field of an edit that is an object; it replaces a value that is none."""

    def read(edits: Edits, text: str) -> None:
        given = edits.get(edit)
        fields = given if isinstance(given, dict) else {}
        edits[edit] = fields | {name: value_of(text)}

    return read


def _colour(name: str, text: str) -> object:
    value = value_of(text)
    if not isinstance(value, list):
        return text
    if len(value) not in (3, 4):
        raise refused(name, "a colour must have three or four numbers")
    return dict(zip(("r", "g", "b", "alpha"), value, strict=False))


def _background(edits: Edits, text: str) -> None:
    resize = edits.setdefault("resize", {})
    assert isinstance(resize, dict)
    resize["background"] = _colour("resize.background", text)


def _flatten(edits: Edits, text: str) -> None:
    edits["flatten"] = {"background": _colour("flatten", text)}


def _tint(edits: Edits, text: str) -> None:
    edits["tint"] = _colour("tint", text)


def _extract(edits: Edits, text: str) -> None:
    value = value_of(text)
    if not isinstance(value, list) or len(value) != 4:
        raise refused("extract", "it must be left, top, right and bottom")
    left, top, right, bottom = (whole("extract", one) for one in value)
    edits["extract"] = {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _quality(edits: Edits, text: str) -> None:
    edits[QUALITY] = whole("quality", value_of(text))


def _switch(edit: str) -> ParameterReader:
    """What reads an edit that sharp takes for on whatever its value is: ``false`` leaves it out."""

    def read(edits: Edits, text: str) -> None:
        if value_of(text) is not False:
            edits[edit] = True

    return read


def _row(name: str, read: ParameterReader, to: str, arguments: str = "", note: str = "") -> Covered[ParameterReader]:
    return Covered(name, to=to, arguments=arguments, note=note, read=read, group="query 8")


PARAMETERS: tuple[Covered[ParameterReader], ...] = (
    _row("resize.width", _part("resize", "width"), "w"),
    _row("resize.height", _part("resize", "height"), "h"),
    _row("resize.fit", _part("resize", "fit"), "fit"),
    _row("resize.background", _background, "bgm", "color"),
    _row("resize.withoutEnlargement", _part("resize", "withoutEnlargement"), "up"),
    _row("resize.ratio", _part("resize", "ratio"), "zoom"),
    _row("extract", _extract, "crop", "left,top,right,bottom", "Before the resize."),
    _row("quality", _quality, "q", note="Of whatever format comes out."),
    _row("blur", _edit("blur"), "blur"),
    _row("flatten", _flatten, "bg", "color"),
    _row("tint", _tint, "tint", "color"),
    _row("sharpen", _edit("sharpen"), "conv"),
    _row("sharpen.sigma", _part("sharpen", "sigma"), "sharp", note="Other fields of sharpen are refused."),
    _row("convolve.width", _part("convolve", "width"), "conv"),
    _row("convolve.height", _part("convolve", "height"), "conv"),
    _row("convolve.kernel", _part("convolve", "kernel"), "conv"),
    _row("normalize", _switch("normalise"), "lev=stretch"),
    _row("smartCrop", _edit("smartCrop"), "face"),
    _row("smartCrop.index", _part("smartCrop", "faceIndex"), "face", note="Other fields of version 8.1 are refused."),
    _row("smartCrop.padding", _part("smartCrop", "padding"), "face"),
    _row("animated", _edit("animated"), "anim"),
    _row("stripExif", _edit("stripExif"), "", note="Nothing to do."),
    _row("stripIcc", _edit("stripIcc"), "", note="Nothing to do."),
    Covered("watermark", refused="overlayWith of a request in base64 is", group="query 8"),
    Covered("contentModeration", refused=_ELSEWHERE, group="query 8"),
)
"""``transformationSchemas`` without those that :mod:`.query` has by the same name."""

BASES = frozenset(name.partition(".")[0] for one in PARAMETERS for name in one.names)
"""What stands before the dot of a parameter of version 8: any other field of them is refused by name."""
