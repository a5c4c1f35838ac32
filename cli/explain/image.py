"""What a request makes of its image, and the rule that decides: format, size, quality and crop.

The index has the facts of the image, so that nothing is decoded. Objects that ingest has not examined have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from darkroom.errors import BadOption
from darkroom.imaging.formats.registry import SOURCE_FORMATS, TARGET_FORMATS, OutputFormat, is_animated
from darkroom.plan.geometry.layout import Geometry, Size, compute_geometry
from darkroom.plan.model import (
    AUTO_CLASSES,
    AUTO_QUALITY,
    DATA_FORMATS,
    LOSSLESS_FORMATS,
    MAIN_FORMATS,
    MODEL_UPSCALE,
    DefaultQuality,
    Plan,
)

from .source import Document

type Chooser = Callable[[str], str]
"""Returns who chose an option, by its short name: the URL, a preset, or the default."""

_FACTS = ("format", "width", "height", "frames", "has_alpha")
_ACCEPTED = {
    "auto-avif": "the browser accepts image/avif",
    "auto-webp": "the browser accepts image/webp and not image/avif",
    "auto-legacy": "the browser accepts neither image/avif nor image/webp",
}
_PLACES = {
    "attention": "the most striking part of the pixels",
    "entropy": "the part of the pixels with the most detail",
    "face": "the faces that were found; without one the most striking part",
    "text": "the lines of text that were found; without one the most striking part",
    "obj": "the objects that were found; without one the most striking part",
}


def describe_image(plan: Plan, facts: Mapping[str, Any], chosen_by: Chooser, quality: DefaultQuality) -> Document:
    """Describe what ``plan``, which is not negotiated, makes of an image with these ``facts``; {} is unknown.

    ``error`` is the refusal of a crop outside of the image, or None.
    """
    known = {name: facts[name] for name in _FACTS} if facts.keys() >= set(_FACTS) else {}
    found: Document = {"of": known or None, "size": None, "formats": [], "crop": None, "error": None}
    if plan.format in DATA_FORMATS:
        return found
    names = AUTO_CLASSES if plan.format == "auto" else (plan.format,)
    geometry = None
    if known:
        try:
            geometry = _lay_out(replace(plan, format=names[0]), known)
        except BadOption as error:
            return found | {"error": error.to_problem()}
    formats = [
        _describe_format(replace(plan, format=name), plan, known, geometry, chosen_by, quality) for name in names
    ]
    return found | {
        "formats": formats,
        "size": _describe_size(plan, geometry, chosen_by) if geometry else None,
        "crop": _describe_crop(plan, geometry, chosen_by),
    }


def _lay_out(plan: Plan, known: Document) -> Geometry:
    target = TARGET_FORMATS[plan.format]
    size = Size(known["width"], known["height"])
    return compute_geometry(plan, size, max_side_px=target.max_side_px, max_pixels=target.max_pixels)


def _describe_format(
    variant: Plan, plan: Plan, known: Document, geometry: Geometry | None, chosen_by: Chooser, quality: DefaultQuality
) -> Document:
    name, target = variant.format, TARGET_FORMATS[variant.format]
    frames = known.get("frames", 1) if is_animated(variant) else 1
    transparent = _is_transparent(plan, bool(known.get("has_alpha")), geometry)
    form = target.still
    if geometry:
        form = target.choose(transparent=transparent, frames=frames, pixels=geometry.size.width * geometry.size.height)
    drawn = known and target.drawing and SOURCE_FORMATS[known["format"]].may_be_drawing
    value, by = _find_quality(plan, form, chosen_by, quality)
    return {
        "class": name,
        "format": form.name,
        "why": f"f={plan.format} by {chosen_by('f')}" if name == plan.format else _explain_class(name, form, frames),
        "if_drawing": f"lossless {target.drawing[0].name}" if drawn and target.drawing else "",
        "still_because": _explain_still(variant, form) if known.get("frames", 1) > 1 and frames == 1 else "",
        "quality": value,
        "quality_by": by,
    }


def _is_transparent(plan: Plan, has_alpha: bool, geometry: Geometry | None) -> bool:
    """Return whether the result has transparent pixels: of the image, of a cut-out, of corners or of margins."""
    if plan.background:
        return False
    has_margins = geometry is not None and (
        any(geometry.padding) or (plan.fit == "letterbox" and geometry.size != geometry.image_size)
    )
    return has_alpha or plan.cutout or bool((plan.radius or plan.angle or has_margins) and not plan.margin_colour)


def _explain_class(name: str, form: OutputFormat, frames: int) -> str:
    if frames > 1:
        return f"{_ACCEPTED[name]}, and the image is an animation"
    if form.name == MAIN_FORMATS[name]:
        return _ACCEPTED[name]
    transparent = name == "auto-legacy"
    return f"{_ACCEPTED[name]}, and {'it is transparent' if transparent else 'it has more than 10 megapixels'}"


def _explain_still(variant: Plan, form: OutputFormat) -> str:
    if variant.redact or variant.cutout:
        return "a redacted or cut out image is a still"
    if variant.page:
        return "page names one frame"
    return f"{form.name} is served without animation" if variant.animate else "anim=0"


def _find_quality(
    plan: Plan, form: OutputFormat, chosen_by: Chooser, quality: DefaultQuality
) -> tuple[int | str | None, str]:
    if form.name in LOSSLESS_FORMATS:
        return None, "lossless"
    if plan.quality is None:
        return quality.of(form.name), "the setting default_quality"
    return plan.quality, "score 75 of SSIMULACRA2" if plan.quality == AUTO_QUALITY else chosen_by("q")


def _describe_size(plan: Plan, geometry: Geometry, chosen_by: Chooser) -> Document:
    padding = geometry.padding
    width = geometry.size.width + padding.left + padding.right
    height = geometry.size.height + padding.top + padding.bottom
    return {"width": width, "height": height, "why": ", ".join(_explain_size(plan, geometry, chosen_by))}


def _explain_size(plan: Plan, geometry: Geometry, chosen_by: Chooser) -> Iterator[str]:
    sides = [f"{name}={side} by {chosen_by(name)}" for name, side in (("w", plan.width), ("h", plan.height)) if side]
    box, reached = " and ".join(sides), geometry.image_size
    is_smaller = (plan.width or 0) > reached.width or (plan.height or 0) > reached.height
    if geometry.shrink < 1:
        later = ", which a model replaces in the background" if plan.upscale == MODEL_UPSCALE else ""
        yield f"enlarged to {box}: up={plan.upscale if plan.upscale == MODEL_UPSCALE else 1}{later}"
    elif geometry.shrink == 1:
        yield f"the image has no more pixels for {box}, and only up=1 enlarges" if is_smaller else "its own size"
    else:
        yield f"reduced to {box}" + (", with its aspect ratio" if is_smaller else "")
    if plan.crop:
        yield "of the region crop"
    if plan.trim:
        yield "before trim removes the border"


def _describe_crop(plan: Plan, geometry: Geometry | None, chosen_by: Chooser) -> Document | None:
    """Describe the part that a cover keeps; None if it keeps all."""
    if plan.fit != "cover" or not (plan.width and plan.height):
        return None
    window, box = (geometry.window, None) if geometry else (None, None)
    share, scaled, kept = 100, None, None
    if geometry and window:
        share = round(100 * window.width * window.height / (geometry.scaled.width * geometry.scaled.height))
        box = None if geometry.search else list(window)
        scaled, kept = list(geometry.scaled), list(window.size)
    name = plan.gravity.name
    place = _PLACES.get(name, "fixed by the URL or the preset" if name == "fp" else f"fixed: {name}")
    return {
        "fit_by": chosen_by("fit"),
        "gravity": name,
        "gravity_by": chosen_by("g"),
        "place": place,
        "kept_percent": share,
        "window": box,
        "kept": kept,
        "scaled": scaled,
    }
