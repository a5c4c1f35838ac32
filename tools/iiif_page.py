"""Generate the tables of docs/guides/iiif.md from those of the parser and of ``info.json``."""

from __future__ import annotations

from darkroom.plan.geometry.placement import Size
from darkroom_dialects.iiif.spec import (
    BITONAL_THRESHOLD,
    FEATURES,
    FEATURES_V2,
    FORMATS,
    QUALITIES,
    UNSUPPORTED_FORMATS,
    SizeLimits,
)
from darkroom_dialects.iiif.tiles import SMALLEST_PX, THUMBNAIL_WIDTHS_PX, TILE_PX, count_images, list_scale_factors
from tools.generated_blocks import ROOT, Content, table

PAGE = ROOT / "docs" / "guides" / "iiif.md"

_CAPS = SizeLimits()
_IMAGES = (Size(4000, 3000), Size(6000, 4000), Size(11_648, 8736), Size(40_000, 30_000))
_LEVELS = {1: "1", 2: "2", 3: "beyond"}


def _counts() -> str:
    rows = (
        (
            f"{size.width:,} × {size.height:,} px",
            ", ".join(map(str, list_scale_factors(size))),
            f"{count_images(size, _CAPS):,}",
        )
        for size in _IMAGES
    )
    return table(("image", "scale factors", "derivatives"), *rows)


def _features() -> str:
    rows = ((f"`{one.name}`", one.syntax, _LEVELS[one.level], one.note) for one in FEATURES)
    return table(("feature", "spelled", "level", ""), *rows)


CONTENT: Content = {
    "counts": _counts,
    "features": _features,
    "qualities": lambda: ", ".join(f"`{name}`" for name in QUALITIES),
    "half-tone": lambda: str(BITONAL_THRESHOLD),
    "formats": lambda: ", ".join(f"`{name}`" for name in FORMATS),
    "unserved": lambda: ", ".join(f"`{name}` ({why})" for name, why in UNSUPPORTED_FORMATS.items()),
    "features-older": lambda: ", ".join(f"`{name}`" for name in FEATURES_V2),
    "thumbnails": lambda: " and ".join(map(str, THUMBNAIL_WIDTHS_PX)),
    "max-side": lambda: f"{_CAPS.max_side_px:,}",
    "max-area": lambda: f"{_CAPS.max_area_px:,}",
    "smallest": lambda: str(SMALLEST_PX),
    "tile": lambda: str(TILE_PX),
}
"""Content of the page's places."""
