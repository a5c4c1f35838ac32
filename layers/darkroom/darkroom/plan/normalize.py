"""The normal form: options that cannot change the picture are dropped, and equal meanings get equal Plans.

The edge function repeats these rules step by step (``planOf`` in ``functions/edge/plan.js``); one table of cases
and a differential fuzz test hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

from .model import ANIMATED_FORMATS, DATA_FORMATS, LOSSLESS_FORMATS, Crop, Gravity, Plan
from .option_types import Value
from .options import MAX_SIDE_PX, NATIVE_FIELDS, OPTIONS_BY_SHORT

DEFAULT_MAX_SIDE_PX = 2560
"""The longest side of a picture whose URL says nothing."""


def build_plan(key: str, values: Mapping[str, Value]) -> Plan:
    """The Plan in normal form for ``values``, which maps short option names to values read by their kinds."""
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
    if not fields.keys() <= NATIVE_FIELDS:
        from .extended.normalize import normalize_extended  # only other URL languages have these options

        normalize_extended(fields)
    _limit_default_size(fields)
    return Plan(key, **fields)  # type: ignore[arg-type]


def scale_length(length_px: int, ratio: float) -> int:
    """``length_px × ratio`` rounded half up, within 1–8192. ``ratio`` is a multiple of 0.5, so this is exact."""
    return min(MAX_SIDE_PX, (length_px * round(ratio * 2) + 1) // 2)


def _keep_data_options(fields: dict[str, Value]) -> None:
    if fields.get("format") in DATA_FORMATS:
        for name in fields.keys() - {"format", "page"}:
            del fields[name]


def _fold_pixel_ratio(fields: dict[str, Value], ratio: Value) -> None:
    assert isinstance(ratio, int | float)
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
    """Eight symmetries of a rectangle have sixteen spellings: keep a rotation and at most ``h`` (v = 180° then h)."""
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


def _drop_findings_options(fields: dict[str, Value]) -> None:
    """Findings are of the first frame, so a redacted picture does not move. Without a use for them they have none."""
    if "redact" in fields:
        fields.pop("animate", None)
    elif fields.get("gravity") != Gravity("face") and "face_crop" not in fields:
        fields.pop("findings", None)


def _limit_default_size(fields: dict[str, Value]) -> None:
    if not fields:
        fields.update(width=DEFAULT_MAX_SIDE_PX, height=DEFAULT_MAX_SIDE_PX)
