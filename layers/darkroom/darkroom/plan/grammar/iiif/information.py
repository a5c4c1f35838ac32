"""``info.json``: section 5."""

from __future__ import annotations

from ...boxes import Size
from .caps import Caps
from .features import FEATURES, FORMATS, HTTP_FEATURES, QUALITIES
from .grid import TILE_PX, scale_factors, sizes

CONTEXT = "http://iiif.io/api/image/3/context.json"
LEVELS = {False: "level0", True: "level2"}
"""The compliance level by whether everything may be asked for. Whoever only serves what is listed is of level 0, which
clients go by: they ask for nothing else then."""

_LEVEL_2_FORMATS = ("jpg", "png")


def profile_uri(*, everything: bool) -> str:
    """The address of the level's profile document: section 6."""
    return f"http://iiif.io/api/image/3/{LEVELS[everything]}.json"


def information(base_uri: str, upright: Size, caps: Caps, *, everything: bool) -> dict[str, object]:
    """The document of the picture at ``base_uri``, which is ``upright`` in px.

    ``everything``: whether anything may be asked for, rather than what is listed.
    """
    document: dict[str, object] = {
        "@context": CONTEXT,
        "id": base_uri,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": LEVELS[everything],
        "width": upright.width,
        "height": upright.height,
        "maxWidth": caps.max_side_px,
        "maxHeight": caps.max_side_px,
        "maxArea": caps.max_area_px,
        "sizes": [{"width": size.width, "height": size.height} for size in sizes(upright, caps)],
        "tiles": [{"width": TILE_PX, "height": TILE_PX, "scaleFactors": scale_factors(upright)}],
    }
    if not everything:
        return document | {"extraFeatures": list(HTTP_FEATURES)}
    return document | {
        "preferredFormats": ["webp", "jpg"],
        "extraFormats": [name for name in FORMATS if name not in _LEVEL_2_FORMATS],
        "extraQualities": [name for name in QUALITIES if name != "default"],
        "extraFeatures": [feature.name for feature in FEATURES if feature.level > 2],
    }
