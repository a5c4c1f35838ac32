"""The actions that a manifest states, as a plan describes them (C2PA specification 2.2, "Actions")."""

from __future__ import annotations

from collections.abc import Mapping

from ..imaging.formats.metadata.rights import SOURCE_TYPES
from ..plan.canonical import options_text
from ..plan.model import Plan

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "c2pa.orientation": ("rotate", "flip", "angle"),
    "c2pa.cropped": (
        *("crop", "trim", "trim_options", "crop_to", "face_crop", "face_zoom", "inset", "offset", "focus", "radius"),
        *("radius_y", "ellipse"),
    ),
    "c2pa.resized": (
        *("width", "height", "min_width", "min_height", "scale", "pixel_ratio", "max_side", "proportion"),
        *("padding", "extension", "nine_patch"),
    ),
    "c2pa.adjustedColor": (
        *("equalise", "brightness", "contrast", "saturation", "gamma", "grayscale", "normalise", "curves", "matrix"),
        *("enhance", "white_balance", "lch", "clahe", "tint", "late_matrix", "alpha", "threshold", "red_eye"),
    ),
    "c2pa.filtered": ("blur", "sharpen", "denoise", "median", "convolution", "pixelate", "noise", "adaptive"),
    "c2pa.edited": (
        *(
            "cutout",
            "watermark",
            "second_watermark",
            "overlays",
            "redact",
            "background",
            "background_fill",
            "margin_colour",
        ),
    ),
}
"""Actions in the order in which they are made, and the fields of a plan of which each is the effect."""

FURTHER_FIELDS = frozenset(
    (
        *("key", "upscale", "fit", "gravity", "findings", "rights", "format", "quality", "animate", "page"),
        *("boxes", "download"),
        *("orient", "trim_first", "source_side", "even_centre", "enlarge_only", "one_side", "cover_mode"),
        *("watermark_layout", "watermark_repeat", "watermark_last", "second_watermark_layout"),
        *("second_watermark_repeat", "passthrough_formats", "max_bytes", "baseline", "append_extension", "inline"),
    )
)
"""Fields that say how one of the above is done, or how the file is encoded and served."""

OPTIONS = "com.darkroom.options"
"""Parameter of the last action: the options in the canonical path (docs/reference/urls.md)."""

PARTLY_BY_MODEL = SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for an image that is partly made by a generative model."""

_UNCHANGED = Plan("")


def list_actions(plan: Plan, *, is_upscaled: bool = False) -> list[dict[str, object]]:
    """Return the actions from the upload to a derivative of ``plan``, the encoding last.

    ``is_upscaled``: a model has enlarged it, which its ``c2pa.resized`` states.
    """
    changed = [name for name, fields in ACTIONS.items() if any(_has_effect(plan, field) for field in fields)]
    if plan.fit == "cover" and plan.width and plan.height and "c2pa.cropped" not in changed:
        changed.insert(changed.index("c2pa.resized"), "c2pa.cropped")
    actions: list[dict[str, object]] = [{"action": name} for name in changed]
    if is_upscaled:
        actions[changed.index("c2pa.resized")]["digitalSourceType"] = PARTLY_BY_MODEL
    return [*actions, {"action": "c2pa.transcoded", "parameters": {OPTIONS: options_text(plan)}}]


def _has_effect(plan: Plan, field: str) -> bool:
    return bool(getattr(plan, field) != getattr(_UNCHANGED, field))
