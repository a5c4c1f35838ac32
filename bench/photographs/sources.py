"""Photographs and graphics of Debian's packages, on which no setting of an encoder was chosen.

The photographs are those of ``lomiri-wallpapers-16.04`` (CC-BY, CC-BY-SA) and ``budgie-backgrounds`` (CC0) without
drawings: 28 of 1.5 to 16 MP. The graphics are windows in the documentation of Wireshark and charts in that of Maxima:
15 opaque PNGs of at least 800 px.
"""

from __future__ import annotations

from pathlib import Path

from ..corpus.packages import BUDGIE, LOMIRI_16, MAXIMA, WIRESHARK, unpack

BACKGROUNDS = "usr/share/backgrounds"
DRAWINGS = (
    "analogpattern_by_Peter_Nerlich",
    "umang_by_Abhishek_Mudgal",
    "ocean-waves",
    "valley-midnight",
    "waves-midnight",
)
WINDOWS = (
    "ws-capture-interfaces-main-macos",
    "ws-dns",
    "ws-packet-selected",
    "ws-pref-appearance-fonts-and-colors",
    "ws-rlc-graph",
    "ws-sctp",
    "ws-stats-iographs",
    "ws-tools-menu",
)
CHARTS = (
    "draw_bars",
    "draw_contour",
    "draw_enhanced3d4",
    "draw_explicit",
    "draw_label2",
    "draw_palette5",
    "worldmap_geomap",
)
"""Named because the packages have small images, and transparent ones, which the peers' JPEGs would not have."""

PHOTOGRAPHS_OF = "photographs of Debian's lomiri-wallpapers-16.04 and budgie-backgrounds, without drawings"
GRAPHICS_OF = "windows of Debian's wireshark-doc and charts of maxima-doc"


def list_photographs() -> list[Path]:
    """List the files. Raises PackageUnavailable."""
    folders = unpack(LOMIRI_16) / BACKGROUNDS, unpack(BUDGIE) / BACKGROUNDS / "budgie"
    files = [file for folder in folders for file in sorted(folder.glob("*.jpg"))]
    return [file for file in files if file.stem not in DRAWINGS]


def list_graphics() -> list[Path]:
    """List the files. Raises PackageUnavailable."""
    windows = unpack(WIRESHARK) / "usr/share/doc/wireshark/wsug_html_chunked/images"
    charts = unpack(MAXIMA) / "usr/share/doc/maxima-doc/html/figures"
    return [*(windows / f"{name}.png" for name in WINDOWS), *(charts / f"{name}.png" for name in CHARTS)]
