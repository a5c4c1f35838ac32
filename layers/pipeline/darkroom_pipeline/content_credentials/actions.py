"""The actions that a manifest states, as a plan describes them (C2PA specification 2.2, "Actions")."""

from __future__ import annotations

from collections.abc import Mapping

from darkroom.imaging.formats.metadata.rights import SOURCE_TYPES
from darkroom.plan.canonical import options_text
from darkroom.plan.model import Plan
from darkroom.plan.options import CANONICAL_OPTIONS, Effect

ACTIONS: Mapping[Effect, str] = {
    "orient": "c2pa.orientation",
    "crop": "c2pa.cropped",
    "resize": "c2pa.resized",
    "colour": "c2pa.adjustedColor",
    "filter": "c2pa.filtered",
    "edit": "c2pa.edited",
}
"""The action of each effect of an option, in the order in which they are made."""

OPTIONS = "com.darkroom.options"
"""Parameter of the last action: the options in the canonical path (docs/reference/urls.md)."""

PARTLY_BY_MODEL = SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for an image that is partly made by a generative model."""


def list_actions(plan: Plan, *, is_upscaled: bool = False) -> list[dict[str, object]]:
    """Return the actions from the upload to a derivative of ``plan``, the encoding last.

    ``is_upscaled``: a model has enlarged it, which its ``c2pa.resized`` states.
    """
    effects = {option.effect for option in CANONICAL_OPTIONS if getattr(plan, option.plan_field) != option.default}
    if plan.fit == "cover" and plan.width and plan.height:
        effects.add("crop")
    changed = [action for effect, action in ACTIONS.items() if effect in effects]
    actions: list[dict[str, object]] = [{"action": name} for name in changed]
    if is_upscaled:
        actions[changed.index("c2pa.resized")]["digitalSourceType"] = PARTLY_BY_MODEL
    return [*actions, {"action": "c2pa.transcoded", "parameters": {OPTIONS: options_text(plan)}}]
