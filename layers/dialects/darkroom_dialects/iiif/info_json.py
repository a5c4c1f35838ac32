"""Build ``info.json``: section 5."""

from __future__ import annotations

from darkroom.plan.geometry.placement import Size

from .spec import (
    FEATURES,
    FEATURES_V2,
    FORMATS,
    HTTP_FEATURES,
    PREFERRED_FORMATS,
    QUALITIES,
    V2,
    V3,
    SizeLimits,
    Version,
)
from .tiles import TILE_PX, list_scale_factors, list_sizes

LEVELS = {False: "level0", True: "level2"}
"""The compliance level by whether all requests are served. Clients of a level 0 server only request listed images."""

PROTOCOL = "http://iiif.io/api/image"

_LEVEL_2_FORMATS = ("jpg", "png")


def profile_uri(version: Version = V3, *, everything: bool) -> str:
    """Return the address of the profile document: section 6."""
    return version.profile_uri(LEVELS[everything])


def build_info(
    base_uri: str, upright: Size, caps: SizeLimits, version: Version = V3, *, everything: bool
) -> dict[str, object]:
    """Return the document of the image at ``base_uri``, of ``upright`` size in px.

    ``everything``: whether all requests are served, or only listed ones.
    """
    lists: dict[str, object] = {
        "sizes": [{"width": size.width, "height": size.height} for size in list_sizes(upright, caps)],
        "tiles": [{"width": TILE_PX, "height": TILE_PX, "scaleFactors": list_scale_factors(upright)}],
    }
    limits = {"maxWidth": caps.max_side_px, "maxHeight": caps.max_side_px, "maxArea": caps.max_area_px}
    if version == V2:
        return _document_v2(base_uri, upright, lists, limits, everything=everything)
    document = {
        "@context": version.context,
        "id": base_uri,
        "type": "ImageService3",
        "protocol": PROTOCOL,
        "profile": LEVELS[everything],
        "width": upright.width,
        "height": upright.height,
        **limits,
        **lists,
    }
    if not everything:
        return document | {"extraFeatures": list(HTTP_FEATURES)}
    return document | {
        "preferredFormats": list(PREFERRED_FORMATS),
        "extraFormats": [name for name in FORMATS if name not in _LEVEL_2_FORMATS],
        "extraQualities": [name for name in QUALITIES if name != "default"],
        "extraFeatures": [feature.name for feature in FEATURES if feature.level > 2],
    }


def _document_v2(
    base_uri: str, upright: Size, lists: dict[str, object], limits: dict[str, int], *, everything: bool
) -> dict[str, object]:
    """Return the document of version 2.1, section 5. The second member of ``profile`` has what exceeds the level."""
    beyond: dict[str, object] = {"supports": list(HTTP_FEATURES)}
    if everything:
        beyond = {"formats": list(FORMATS), "qualities": list(QUALITIES), "supports": list(FEATURES_V2)}
    return {
        "@context": V2.context,
        "@id": base_uri,
        "protocol": PROTOCOL,
        "width": upright.width,
        "height": upright.height,
        **lists,
        "profile": [profile_uri(V2, everything=everything), {**beyond, **limits}],
    }
