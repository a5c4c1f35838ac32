"""The overlays of a plan. Their language is :mod:`darkroom.overlays.language`, loaded for plans that have some."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from .model import OVERLAY_PREFIX, Plan

if TYPE_CHECKING:
    from ..overlays.language import Overlay


def check_overlays(plan: Plan) -> None:
    """Raise BadOption if the overlays of ``plan`` are invalid: the type of the option reads any text."""
    _parse_overlays(plan)


def list_overlay_files(plan: Plan) -> tuple[str, ...]:
    """Return the objects of the media bucket of which overlays of ``plan`` are made, each once. Raises BadOption."""
    return tuple(dict.fromkeys(OVERLAY_PREFIX + one.content for one in _parse_overlays(plan) if one.kind == "image"))


def _parse_overlays(plan: Plan) -> tuple[Overlay, ...]:
    if not plan.overlays:
        return ()
    language = import_module("..overlays.language", __package__)
    return cast("tuple[Overlay, ...]", language.parse_overlays(plan.overlays))
