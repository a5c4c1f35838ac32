"""The canonical path, the unique name of a derivative, and the normal form of options in it.

``/<key>/_/<options>.<format>``: the key is encoded (:mod:`darkroom.image_keys`), options are ``name-value`` in
alphabetical order joined by ``_``, or ``full`` where there are none. Below the prefix ``derivatives`` it is the S3 key
of the derivative, and with ``f=auto`` not yet negotiated it is the canonical *request*, which signatures are made over.

In normal form, options without an effect are dropped, and equal meanings are equal Plans. The edge function repeats
these rules step by step (``planOf`` in ``functions/edge/plan.js``); one table of cases and a differential fuzz test
hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import BadKey, BadOption
from ..image_keys import MAX_ENCODED_KEY_BYTES, check_key, decode_escapes, decode_key, encode_key
from .model import (
    ANIMATED_FORMATS,
    AUTO_CLASSES,
    DATA_FORMATS,
    EXTENDED_FORMATS,
    GRAVITY_TASKS,
    IDENTITY,
    IMAGE_FORMATS,
    LOSSLESS_FORMATS,
    RIGHTS,
    Crop,
    CropTo,
    Extension,
    Gravity,
    Plan,
    Watermark,
)
from .option_plugins import NO_TEXTS, check_plugin_options, get_plugin_texts
from .option_types import FileName, Value, split_parts
from .options import CANONICAL_OPTIONS, MAX_SIDE_PX, OPTIONS_BY_SHORT, make_bad_option
from .redaction import check_first_page

SEPARATOR = "/_/"
NO_OPTIONS = "full"
MAX_OPTIONS_BYTES = 800
"""Of a request, whatever its key."""
MAX_REQUEST_BYTES = 951
"""Of a canonical request without its extension. S3 allows names of 1,024 bytes ("Naming Amazon S3 objects"): 11 for
``derivatives``, these, 5 that negotiation may add (``_q-50``), 5 for rights (``_cr-1``), 28 that the deployment may
force (``_redact-`` and the words of its rules, :data:`darkroom.plan.forced_options.MAX_FORCED_CHARACTERS`), 12 for the
generation of findings (``_fv-`` and 8) and 12 for ``.auto-legacy``."""
MIN_OPTIONS_BYTES = MAX_REQUEST_BYTES - len("/") - MAX_ENCODED_KEY_BYTES - len(SEPARATOR)
"""The length of options that fits with the longest key. It limits presets, which are for all keys."""

_DEFAULTS = Plan("")
_FORMATS = frozenset({*IMAGE_FORMATS, *EXTENDED_FORMATS, *DATA_FORMATS, "auto", *AUTO_CLASSES})

DEFAULT_MAX_SIDE_PX = 2560
"""The longest side of a result without options."""

_JPEGS = frozenset({"jpeg", "auto", "auto-legacy"})
_LOSSY = frozenset({"auto", *AUTO_CLASSES, *IMAGE_FORMATS}) - LOSSLESS_FORMATS
_CENTRED_POSITIONS = frozenset({"center", "north", "east", "south", "west", "fp"})
"""Positions that are centred on an axis."""

_REQUIREMENTS = (
    ("trim_options", "trim"),
    ("trim_first", "trim"),
    ("trim_first", "crop_to"),
    ("nine_patch", "watermark"),
    ("watermark_layout", "watermark"),
    ("watermark_repeat", "watermark_layout"),
    ("watermark_last", "watermark_layout"),
    ("second_watermark", "watermark"),
    ("second_watermark_layout", "second_watermark"),
    ("second_watermark_repeat", "second_watermark_layout"),
    ("radius_y", "radius"),
    ("append_extension", "download"),
    ("inline", "download"),
)
"""Fields that have no effect without another one."""


def options_text(plan: Plan) -> str:
    """Return the part of the canonical path between ``/_/`` and the extension."""
    words = [
        f"{option.short}-{option.type.format(value)}"
        for option in CANONICAL_OPTIONS
        if (value := getattr(plan, option.plan_field)) != getattr(_DEFAULTS, option.plan_field)
    ]
    return "_".join(words) or NO_OPTIONS


def canonical_path(plan: Plan) -> str:
    """Return the canonical path of ``plan``."""
    return "/" + derivative_name(plan)


def check_length(plan: Plan) -> None:
    """Raise BadOption if the options of ``plan``, a request, exceed the length limit, also that for its key."""
    start = f"/{encode_key(plan.key)}{SEPARATOR}"
    room = min(MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES - len(start))
    if len(options_text(plan)) > room:
        raise BadOption(f"The options are longer than {room} characters together")


def derivative_name(plan: Plan) -> str:
    """Return the object name below the prefix of derivatives: the canonical path without its first slash."""
    return f"{encode_key(plan.key)}{SEPARATOR}{options_text(plan)}.{plan.format}"


def parse_path(path: str) -> Plan:
    """Parse a canonical ``path``.

    Raises BadKey or BadOption if ``path`` is not exactly the canonical path of a Plan: a second spelling would be a
    second derivative.
    """
    encoded, separator, file_name = path.removeprefix("/").rpartition(SEPARATOR)
    text, dot, output = file_name.rpartition(".")
    if not separator or not dot or output not in _FORMATS:
        raise BadKey("The path is not a canonical path")
    try:
        values = dict(_parse_option(word) for word in text.split("_")) if text != NO_OPTIONS else {}
        plan = build_plan(check_key(decode_key(encoded)), {**values, "f": output})
        check_first_page(plan)
        if get_plugin_texts(plan) != NO_TEXTS:
            check_plugin_options(plan)
        if canonical_path(plan) == path:
            return plan
    except (UnicodeError, ValueError, KeyError) as error:
        raise BadOption("The path is not a canonical path", detail=repr(error)) from error
    raise BadOption("The path is not a canonical path", detail=canonical_path(plan))


def _parse_option(word: str) -> tuple[str, Value]:
    name, _, spelling = word.partition("-")
    option = OPTIONS_BY_SHORT[name]
    is_text = isinstance(option.type, FileName)
    try:
        return name, option.type.parse([decode_escapes(spelling)] if is_text else split_parts(spelling))
    except ValueError as error:
        raise make_bad_option(option, spelling) from error


def build_plan(key: str, values: Mapping[str, Value]) -> Plan:
    """Build the Plan in normal form of ``values``, which maps short option names to parsed values."""
    fields: dict[str, Value] = {
        option.plan_field: value
        for name, value in values.items()
        if (option := OPTIONS_BY_SHORT[name]).plan_field and value != option.default
    }
    _keep_data_options(fields)
    _fold_pixel_ratio(fields, values.get("dpr", 1))
    _drop_box_options(fields)
    _drop_whole_crop(fields)
    _fold_rotation(fields)
    _drop_format_options(fields)
    _drop_findings_options(fields)
    _normalize_extended(fields)
    _limit_default_size(fields)
    return Plan(key, **fields)  # type: ignore[arg-type]


def add_rights(plan: Plan, metadata: str) -> Plan:
    """Return ``plan`` with rights in the file if ``metadata`` is ``rights`` and its format can hold them."""
    if metadata != RIGHTS or plan.format in (*DATA_FORMATS, *EXTENDED_FORMATS):
        return plan
    return replace(plan, rights=True)


def scale_length(length_px: int, ratio: float) -> int:
    """Return ``length_px × ratio`` rounded half up, at most 8192: exact, because ``ratio`` is a multiple of 0.5."""
    return min(MAX_SIDE_PX, (length_px * round(ratio * 2) + 1) // 2)


def _keep_data_options(fields: dict[str, Value]) -> None:
    output = fields.get("format")
    if output != "json":
        fields.pop("boxes", None)
    if output in DATA_FORMATS:
        for name in fields.keys() - {"format", "page", "boxes", "findings"}:
            del fields[name]


def _fold_pixel_ratio(fields: dict[str, Value], ratio: Value) -> None:
    assert isinstance(ratio, (int, float))
    for side in ("width", "height"):
        length = fields.get(side)
        if isinstance(length, int):
            fields[side] = scale_length(length, ratio)


def _drop_box_options(fields: dict[str, Value]) -> None:
    if ("width" not in fields or "height" not in fields) and "source_side" not in fields:
        fields.pop("fit", None)
    if not fields.keys() & {"width", "height", "scale", "pixel_ratio"}:
        fields.pop("upscale", None)
    if fields.get("fit") != "cover" and not fields.keys() & {"min_width", "min_height"}:
        fields.pop("gravity", None)


def _drop_whole_crop(fields: dict[str, Value]) -> None:
    if fields.get("crop") == Crop("pct", 0, 0, 100, 100):
        del fields["crop"]


def _fold_rotation(fields: dict[str, Value]) -> None:
    """Keep a rotation and at most ``h`` (v = 180° then h): eight symmetries of a rectangle have sixteen spellings."""
    flip, rotate = fields.pop("flip", "none"), fields.pop("rotate", 0)
    assert isinstance(rotate, int)
    if flip in ("v", "hv"):
        rotate = (rotate + 180) % 360
    if flip in ("h", "v"):
        fields["flip"] = "h"
    if rotate:
        fields["rotate"] = rotate


def _drop_format_options(fields: dict[str, Value]) -> None:
    output = fields.get("format", "auto")
    if output in LOSSLESS_FORMATS:
        fields.pop("quality", None)
    if output not in ANIMATED_FORMATS or "page" in fields:
        fields.pop("animate", None)
    if output in EXTENDED_FORMATS:
        fields.pop("rights", None)


def _drop_findings_options(fields: dict[str, Value]) -> None:
    """Make what is redacted or cut out still: findings are of the first frame. Drop a generation that is not used."""
    gravity = getattr(fields.get("gravity"), "name", "")
    if fields.keys() & {"redact", "cutout"}:
        fields.pop("animate", None)
    elif gravity not in GRAVITY_TASKS and not fields.keys() & {"face_crop", "boxes"}:
        fields.pop("findings", None)


def _limit_default_size(fields: dict[str, Value]) -> None:
    if not fields:
        fields.update(width=DEFAULT_MAX_SIDE_PX, height=DEFAULT_MAX_SIDE_PX)


def _normalize_extended(fields: dict[str, Value]) -> None:
    """Normalize the options that only dialects set, after native ones. No field has its default value."""
    for name in ("matrix", "late_matrix"):
        if fields.get(name) == IDENTITY:
            del fields[name]
    if len(fields.keys() & {"width", "height"}) != 1:
        fields.pop("source_side", None)
    for name, other in _REQUIREMENTS:
        if other not in fields:
            fields.pop(name, None)
    if fields.keys() & {"redact", "cutout"}:
        for name in ("orient", "passthrough_formats"):
            fields.pop(name, None)
    _fold_quarter_turns(fields)
    _drop_nine_patch_position(fields)
    _drop_watermark_scale(fields)
    _drop_extended_box_options(fields)
    _drop_even_centre(fields)
    _fold_letterbox(fields)
    _drop_margin_colour(fields)
    _drop_pixel_ratio(fields)
    if fields.get("fit") != "letterbox" and not fields.keys() & {"padding", "extension"}:
        fields.pop("watermark_last", None)
    _fold_enlarge_only(fields)
    if len(fields.keys() & {"width", "height"}) != 1:
        fields.pop("one_side", None)
    if fields.get("gravity") != Gravity("face"):
        fields.pop("face_zoom", None)
    _drop_encoder_options(fields)


def _drop_encoder_options(fields: dict[str, Value]) -> None:
    output = fields.get("format", "auto")
    if output not in _JPEGS:
        fields.pop("baseline", None)
    if output not in _LOSSY:
        fields.pop("max_bytes", None)


def _fold_quarter_turns(fields: dict[str, Value]) -> None:
    """Fold an ``angle`` of quarter turns into ``rotate``; after a mirror it turns in the other direction."""
    angle = fields.get("angle", 0.0)
    assert isinstance(angle, (int, float))
    if not angle or angle % 90:
        return
    del fields["angle"]
    rotate = fields.pop("rotate", 0)
    assert isinstance(rotate, int)
    turned = (rotate + (-int(angle) if "flip" in fields else int(angle))) % 360
    if turned:
        fields["rotate"] = turned


def _drop_nine_patch_position(fields: dict[str, Value]) -> None:
    """Drop position, scale and opacity of a nine-patch, which surrounds the image."""
    mark = fields.get("watermark")
    if "nine_patch" in fields and isinstance(mark, Watermark):
        fields["watermark"] = Watermark(mark.name)
        for name in ("watermark_layout", "watermark_repeat"):
            fields.pop(name, None)


def _drop_watermark_scale(fields: dict[str, Value]) -> None:
    """Drop the scale of a watermark whose layout has a size."""
    for name, place in (("watermark", "watermark_layout"), ("second_watermark", "second_watermark_layout")):
        mark = fields.get(name)
        if place in fields and isinstance(mark, Watermark):
            fields[name] = mark._replace(scale=Watermark("").scale)


def _drop_extended_box_options(fields: dict[str, Value]) -> None:
    sides = fields.keys() & {"width", "height", "source_side"}
    extension = fields.get("extension")
    if isinstance(extension, Extension) and len(sides) < (2 if extension.to == "ratio" else 1):
        del fields["extension"]
    if len(sides) < 2:
        for name in ("adaptive", "cover_mode"):
            fields.pop(name, None)
    if fields.get("fit") != "cover":
        for name in ("cover_mode", "focus"):
            fields.pop(name, None)
        if not fields.keys() & {"min_width", "min_height"}:
            fields.pop("offset", None)
    if fields.get("cover_mode") == "uncut":
        for name in ("gravity", "offset", "focus"):
            fields.pop(name, None)
    if "focus" in fields:
        fields.pop("gravity", None)


def _drop_margin_colour(fields: dict[str, Value]) -> None:
    """Drop ``margin_colour`` without margins or corners, or if ``background`` has the same colour."""
    colour = fields.get("margin_colour")
    has_margins = fields.get("fit") == "letterbox" or bool(fields.keys() & {"padding", "extension", "angle", "radius"})
    if not has_margins or (isinstance(colour, str) and len(colour) == 6 and colour == fields.get("background")):
        fields.pop("margin_colour", None)


def _drop_even_centre(fields: dict[str, Value]) -> None:
    """Drop ``even_centre`` if nothing is centred."""
    cut, mark, extension = fields.get("crop_to"), fields.get("watermark"), fields.get("extension")
    keeps_part = fields.get("fit") == "cover" or bool(fields.keys() & {"min_width", "min_height"})
    gravity = fields.get("gravity", Gravity())
    places = (
        cut.gravity if isinstance(cut, CropTo) else "",
        extension.position if isinstance(extension, Extension) else "",
        gravity.name if keeps_part and isinstance(gravity, Gravity) else "",
        mark.position if isinstance(mark, Watermark) and "watermark_layout" in fields else "",
    )
    if not any(place in _CENTRED_POSITIONS for place in places):
        fields.pop("even_centre", None)


def _fold_letterbox(fields: dict[str, Value]) -> None:
    """Fold a contained image that is centred on a canvas of the box's size into a letterbox."""
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


def _drop_pixel_ratio(fields: dict[str, Value]) -> None:
    """Drop a ratio of at least 1 without a box or scale: the source already has its largest size."""
    ratio = fields.get("pixel_ratio", 1.0)
    assert isinstance(ratio, (int, float))
    if ratio >= 1 and not fields.keys() & {"width", "height", "scale", "upscale"}:
        fields.pop("pixel_ratio", None)


def _fold_enlarge_only(fields: dict[str, Value]) -> None:
    """Keep ``enlarge_only`` for a contained image with a box, which it allows to grow."""
    if fields.pop("enlarge_only", False) and "fit" not in fields and fields.keys() & {"width", "height"}:
        fields |= {"enlarge_only": True, "upscale": fields.get("upscale", True)}
