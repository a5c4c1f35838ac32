"""What ``format=json`` answers in Cloudflare's language: the size of the result, and what its source is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...plan.geometry.boxes import Size
from ...plan.geometry.layout import compute_geometry
from ...plan.model import Plan

_TYPES = {"svg": "image/svg+xml"}
"""Media types that are not ``image/`` and the name of the format."""


def describe(plan: Plan, description: Mapping[str, Any]) -> dict[str, Any]:
    """Cloudflare's object about what ``plan`` makes of the source that ``description`` is of; may raise BadOption."""
    source = Size(description["width"], description["height"])
    geometry = compute_geometry(plan, source)
    padding = geometry.padding
    kind = description["format"]
    return {
        "width": geometry.size.width + padding.left + padding.right,
        "height": geometry.size.height + padding.top + padding.bottom,
        "original": {
            "file_size": description["bytes"],
            "width": source.width,
            "height": source.height,
            "format": _TYPES.get(kind, f"image/{kind}"),
        },
    }
