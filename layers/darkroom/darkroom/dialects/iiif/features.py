"""What is served of the IIIF Image API 3.0, as the table that the parser and ``info.json`` go by."""

from __future__ import annotations

from typing import NamedTuple

FORMATS = {"jpg": "jpeg", "png": "png", "webp": "webp", "gif": "gif", "tif": "tiff"}
"""Formats of the specification (section 4.5) by their extension: ours."""

UNSUPPORTED_FORMATS = {"jp2": "no encoder of JPEG 2000 is aboard", "pdf": "no pages are made of pictures"}
"""Formats of the specification that are refused by name."""

QUALITIES = ("default", "color", "gray", "bitonal")
"""All of section 4.4."""

BITONAL_THRESHOLD = 128
"""From which lightness on a bitonal picture is white."""


class Feature(NamedTuple):
    """A feature of section 5.7 by its name; ``level`` is the least compliance level that has it, 3 for none."""

    name: str
    syntax: str
    level: int
    note: str = ""


FEATURES = (
    Feature("regionByPx", "`x,y,w,h`", 1, "Clipped to the picture."),
    Feature("regionSquare", "`square`", 1, "From the middle."),
    Feature("regionByPct", "`pct:x,y,w,h`", 2, "Rounded to whole pixels, half up."),
    Feature("sizeByW", "`w,`", 1),
    Feature("sizeByH", "`,h`", 1),
    Feature("sizeByWh", "`w,h`", 1),
    Feature("sizeByPct", "`pct:n`", 2),
    Feature(
        "sizeByConfinedWh",
        "`!w,h`",
        2,
        "A box that is larger than the region: see [Conformance](#conformance).",
    ),
    Feature("sizeUpscaling", "`^max` `^w,` `^,h` `^pct:n` `^w,h` `^!w,h`", 3, "Up to `maxWidth` and `maxArea`."),
    Feature("rotationBy90s", "`90` `180` `270`", 2),
    Feature("rotationArbitrary", "`22.5`", 3, "In hundredths of a degree. Corners are transparent, in a JPEG white."),
    Feature("mirroring", "`!n`", 3, "Before the rotation."),
    Feature("baseUriRedirect", "`{id}`", 1, "303 to `info.json`."),
    Feature("cors", "", 1, "`*`, unless `CorsOrigins` says otherwise."),
    Feature("jsonldMediaType", "", 1, "`application/json` for who prefers that."),
    Feature("canonicalLinkHeader", "", 3),
    Feature("profileLinkHeader", "", 3),
)
"""Every feature of the specification; all are there."""

HTTP_FEATURES = ("baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "profileLinkHeader")
"""Those that hold whoever asks."""

FEATURES_V2 = (
    *("canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare", "rotationArbitrary", "sizeAboveFull"),
)
"""What is served in version 2.1 beyond its level 2, by the names of that version's section 5.3."""
