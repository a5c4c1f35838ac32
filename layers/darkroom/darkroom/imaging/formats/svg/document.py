"""Read an SVG without entities, and the size of its root element."""

from __future__ import annotations

import re

from ....errors import DamagedSource, OverLimits, TypeNotAllowed
from ..safe_xml import XmlElement, XmlEntityDeclared, XmlTooLarge, parse_xml
from .allowlist import SVG

MAX_BYTES = 5 * 1024 * 1024
MAX_ELEMENTS = 100_000
DEFAULT_SIZE_PX = (300, 150)
"""The size of an SVG that declares none (CSS 2.2, 10.3.2)."""


_LENGTH = re.compile(r"\s*\+?([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([a-zA-Z]*)\s*")
_MAX_LENGTH_CHARS = 64
"""Backtracking over digits takes time by the square of their number."""
_PX = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6}
_PX |= {"em": 16.0, "rem": 16.0, "ex": 8.0}


def read_size(data: bytes) -> tuple[int, int]:
    """Return width and height in px of an SVG; raise TypeNotAllowed, OverLimits, or DamagedSource."""
    return resolve_size(parse_svg(data, root_only=True))


def parse_svg(data: bytes, *, root_only: bool = False) -> XmlElement:
    """Return the root, with ``root_only`` without children; raise TypeNotAllowed, OverLimits, or DamagedSource."""
    if len(data) > MAX_BYTES:
        raise OverLimits(f"The source is an SVG of {len(data):,} bytes; the limit is {MAX_BYTES:,}")
    try:
        root = parse_xml(data, max_elements=MAX_ELEMENTS, root_only=root_only)
    except XmlEntityDeclared as error:
        raise TypeNotAllowed("The source is an SVG that declares entities; they are not served here") from error
    except XmlTooLarge as error:
        raise OverLimits(
            f"The source is an SVG of more than {MAX_ELEMENTS:,} elements, or of too deep a nesting"
        ) from error
    except ValueError as error:
        raise DamagedSource(detail=str(error)) from error
    if root.name not in (f"{{{SVG}}}svg", "svg"):
        raise DamagedSource(detail=f"the root is {root.name}")
    return root


def resolve_size(root: XmlElement) -> tuple[int, int]:
    """Return width and height in px by CSS's rules for a replaced element.

    They are its own size, else by the view box's ratio, else the view box, else 300 × 150.
    """
    wide, tall = (_parse_length(root.attributes.get(name, "")) for name in ("width", "height"))
    box = _parse_view_box(root)
    if wide is None or tall is None:
        box_wide, box_tall = box or DEFAULT_SIZE_PX
        if wide is not None:
            tall = wide * box_tall / box_wide if box else box_tall
        elif tall is not None:
            wide = tall * box_wide / box_tall if box else box_wide
        else:
            wide, tall = box_wide, box_tall
    assert tall is not None
    return max(1, int(wide + 0.5)), max(1, int(tall + 0.5))


def _parse_length(text: str) -> float | None:
    """A length in px; None if it is a percentage, missing or nothing."""
    found = _LENGTH.fullmatch(text) if len(text) <= _MAX_LENGTH_CHARS else None
    value = float(found[1]) * _PX.get(found[2].lower(), 0.0) if found else 0.0
    return value if value > 0 else None


def _parse_view_box(root: XmlElement) -> tuple[float, float] | None:
    """Width and height of the view box, if it has an area."""
    words = root.attributes.get("viewBox", "").replace(",", " ").split()
    try:
        _, _, wide, tall = map(float, words)
    except ValueError:
        return None
    return (wide, tall) if wide > 0 and tall > 0 else None
