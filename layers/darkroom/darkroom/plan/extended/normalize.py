"""The normal form of borrowed options: what cannot change the picture is dropped, equal meanings get equal Plans."""

from __future__ import annotations

from ..model import IDENTITY, Cut, Extension, Gravity, Watermark
from ..option_types import Value

_JPEGS = frozenset({"jpeg", "auto", "auto-legacy"})
_LOSSY = frozenset({"jpeg", "webp", "avif", "auto", "auto-avif", "auto-webp", "auto-legacy"})
_CENTRED = frozenset({"center", "north", "east", "south", "west", "fp"})
"""Places that have a middle on some axis."""

_NEEDS = (
    ("trimming", "trim"),
    ("trim_first", "trim"),
    ("trim_first", "cut"),
    ("framed", "watermark"),
    ("stamp", "watermark"),
    ("repeat", "stamp"),
    ("mark_last", "stamp"),
    ("second_watermark", "watermark"),
    ("second_stamp", "second_watermark"),
    ("second_repeat", "second_stamp"),
    ("radius_y", "radius"),
    ("typed", "download"),
    ("inline", "download"),
)
"""Fields that say more about another one, and nothing without it."""


def settle(fields: dict[str, Value]) -> None:
    """Bring ``fields``, in the normal form of native options, into that of all. None is at its default."""
    for name in ("matrix", "late_matrix"):
        if fields.get(name) == IDENTITY:
            del fields[name]
    if len(fields.keys() & {"width", "height"}) != 1:
        fields.pop("own_side", None)
    for name, other in _NEEDS:
        if other not in fields:
            fields.pop(name, None)
    if "redact" in fields:
        for name in ("orient", "skip"):
            fields.pop(name, None)
    _fold_quarter_turns(fields)
    _drop_the_place_of_a_frame(fields)
    _drop_the_scale_beside_a_stamp(fields)
    _drop_what_needs_a_box(fields)
    _drop_what_nothing_is_centred_for(fields)
    _fold_letterbox(fields)
    _drop_the_colour_of_no_margins(fields)
    _drop_a_ratio_of_nothing(fields)
    if fields.get("fit") != "letterbox" and not fields.keys() & {"padding", "extension"}:
        fields.pop("mark_last", None)
    _grow_a_contained_picture(fields)
    if len(fields.keys() & {"width", "height"}) != 1:
        fields.pop("one_side", None)
    if fields.get("gravity") != Gravity("face"):
        fields.pop("face_zoom", None)
    if fields.get("format", "auto") not in _JPEGS:
        fields.pop("baseline", None)
    if fields.get("format", "auto") not in _LOSSY:
        fields.pop("max_bytes", None)


def _fold_quarter_turns(fields: dict[str, Value]) -> None:
    """A turn by ``angle`` comes after a mirror: around one, the other way round."""
    angle = fields.get("angle", 0.0)
    assert isinstance(angle, int | float)
    if not angle or angle % 90:
        return
    del fields["angle"]
    rotate = fields.pop("rotate", 0)
    assert isinstance(rotate, int)
    turned = (rotate + (-int(angle) if "flip" in fields else int(angle))) % 360
    if turned:
        fields["rotate"] = turned


def _drop_the_place_of_a_frame(fields: dict[str, Value]) -> None:
    """A frame is all around, as it is."""
    mark = fields.get("watermark")
    if "framed" in fields and isinstance(mark, Watermark):
        fields["watermark"] = Watermark(mark.name)
        for name in ("stamp", "repeat"):
            fields.pop(name, None)


def _drop_the_scale_beside_a_stamp(fields: dict[str, Value]) -> None:
    """A stamp says how large its mark is."""
    for name, place in (("watermark", "stamp"), ("second_watermark", "second_stamp")):
        mark = fields.get(name)
        if place in fields and isinstance(mark, Watermark):
            fields[name] = mark._replace(scale=Watermark("").scale)


def _drop_what_needs_a_box(fields: dict[str, Value]) -> None:
    sides = fields.keys() & {"width", "height", "own_side"}
    extension = fields.get("extension")
    if isinstance(extension, Extension) and len(sides) < (2 if extension.to == "ratio" else 1):
        del fields["extension"]
    if len(sides) < 2:
        for name in ("adapt", "covering"):
            fields.pop(name, None)
    if fields.get("fit") != "cover":
        for name in ("covering", "focus"):
            fields.pop(name, None)
        if not fields.keys() & {"min_width", "min_height"}:
            fields.pop("offset", None)
    if fields.get("covering") == "uncut":
        for name in ("gravity", "offset", "focus"):
            fields.pop(name, None)
    if "focus" in fields:
        fields.pop("gravity", None)


def _drop_the_colour_of_no_margins(fields: dict[str, Value]) -> None:
    """Drop ``margin_colour`` where nothing can have margins or corners, or where ``background`` gives them the same."""
    colour = fields.get("margin_colour")
    has_margins = fields.get("fit") == "letterbox" or bool(fields.keys() & {"padding", "extension", "angle", "radius"})
    if not has_margins or (isinstance(colour, str) and len(colour) == 6 and colour == fields.get("background")):
        fields.pop("margin_colour", None)


def _drop_what_nothing_is_centred_for(fields: dict[str, Value]) -> None:
    """``even_centre`` is about what has a middle or a focal point."""
    cut, mark, extension = fields.get("cut"), fields.get("watermark"), fields.get("extension")
    keeps_part = fields.get("fit") == "cover" or bool(fields.keys() & {"min_width", "min_height"})
    gravity = fields.get("gravity", Gravity())
    places = (
        cut.gravity if isinstance(cut, Cut) else "",
        extension.place if isinstance(extension, Extension) else "",
        gravity.name if keeps_part and isinstance(gravity, Gravity) else "",
        mark.position if isinstance(mark, Watermark) and "stamp" in fields else "",
    )
    if not any(place in _CENTRED for place in places):
        fields.pop("even_centre", None)


def _fold_letterbox(fields: dict[str, Value]) -> None:
    """A contained picture extended to its box, in its middle, is a letterbox."""
    if fields.get("fit") == "letterbox":
        fields.pop("extension", None)
    elif (
        "fit" not in fields
        and "even_centre" not in fields
        and fields.get("extension") == Extension()
        and fields.keys() >= {"width", "height"}
    ):
        del fields["extension"]
        fields["fit"] = "letterbox"


def _drop_a_ratio_of_nothing(fields: dict[str, Value]) -> None:
    """Without a box or a zoom the source is as large as it may be."""
    ratio = fields.get("pixel_ratio", 1.0)
    assert isinstance(ratio, int | float)
    if ratio >= 1 and not fields.keys() & {"width", "height", "zoom", "upscale"}:
        fields.pop("pixel_ratio", None)


def _grow_a_contained_picture(fields: dict[str, Value]) -> None:
    """``only_grow`` is about a contained picture that a box may enlarge."""
    if fields.pop("only_grow", False) and "fit" not in fields and fields.keys() & {"width", "height"}:
        fields |= {"only_grow": True, "upscale": True}
