"""Sanitise an SVG: write a new document of nothing but what draws.

The tree is read without entities, filtered by the lists in :mod:`.allowlist`, and written again. Only known parts come
through: no script, no event handler, no animation, no foreign content, no reference out of the document. Embedded
images must be small and of an ``embeddable`` format. The root's size is written in whole pixels, so that the header and
the drawing agree.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from ....errors import DarkroomError, OverLimits
from ....plan.limits import Limits
from ...source import Source
from ..safe_xml import XmlElement, XmlTooLarge
from .allowlist import ATTRIBUTES, ELEMENTS, REFERRING, SVG, XLINK
from .cost import check_cost
from .css import filter_declarations, filter_stylesheet, is_safe
from .dashes import scale_dashed_strokes
from .document import MAX_BYTES, parse_svg, resolve_size
from .names import rename

EMBEDDED_LIMITS = Limits(max_bytes=MAX_BYTES, max_pixels=4_000_000, max_frames=1)
"""What an image within an SVG may have; librsvg decodes it whole."""
_DATA_URL = re.compile(r"data:image/[a-z+]{3,8};base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE)
SYSTEM_LANGUAGE = "en"
"""That of elements with ``systemLanguage``. librsvg takes it from the environment of the process."""
_SIBLINGS = re.compile(r"[+~]|:(?:first|last|only|nth)-")
_PLACEHOLDER = f"{{{SVG}}}defs"
_WITH_TEXT = ("text", "tspan", "textPath", "a")
_HREFS = ("href", f"{{{XLINK}}}href")
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
"""In the order of their replacement."""


def sanitise(data: bytes, *, scale: float = 1.0) -> bytes:
    """Return a harmless SVG that draws the same, as UTF-8.

    Raises TypeNotAllowed for entities, OverLimits for what would take seconds to draw at ``scale``, or DamagedSource
    where it is not well-formed.
    """
    root = parse_svg(data)
    wide, tall = resolve_size(root)
    clean = _Sanitiser(placeholders=_uses_sibling_selectors(root)).clean(root) or XmlElement(f"{{{SVG}}}svg", {})
    clean.attributes |= {"width": str(wide), "height": str(tall)}
    for name in ("x", "y", "transform"):
        clean.attributes.pop(name, None)
    rename(clean)
    scale_dashed_strokes(clean)
    try:
        check_cost(clean, max(1, round(wide * scale)), max(1, round(tall * scale)))
    except XmlTooLarge as error:
        raise OverLimits("The source is an SVG that would take too long to draw", detail=str(error)) from error
    return _serialise(clean, f' xmlns="{SVG}"').encode()


def _uses_sibling_selectors(root: XmlElement) -> bool:
    """Return whether a style sheet has a selector that depends on what else there is beside an element."""
    return any(_SIBLINGS.search(element.text) for element in root.walk() if element.name.endswith("style"))


@dataclass(frozen=True, slots=True)
class _Sanitiser:
    """``placeholders``: what is removed leaves an empty element, so that ``:first-child`` means the same as before."""

    placeholders: bool

    def clean(self, element: XmlElement) -> XmlElement | None:
        """``element`` without anything that is not listed; None if it is not drawn. Names lose their namespace."""
        space, _, local = element.name.rpartition("}")
        if space not in ("", f"{{{SVG}") or local not in ELEMENTS or not _is_in_language(element):
            return None
        clean = XmlElement(f"{{{SVG}}}{local}", _filter_attributes(local, element.attributes))
        if local == "style":
            clean.children = [filter_stylesheet(element.text)]
            return clean
        if local == "image" and "href" not in clean.attributes:
            return None
        for child in element.children:
            if isinstance(child, str):
                clean.children += [child] if local in _WITH_TEXT else []
            elif (kept := self.clean(child)) is not None:
                clean.children.append(kept)
            elif self.placeholders and local not in ("switch", *_WITH_TEXT):
                clean.children.append(XmlElement(_PLACEHOLDER, {}))
        return clean


def _is_in_language(element: XmlElement) -> bool:
    """Return whether :data:`SYSTEM_LANGUAGE` is one that ``systemLanguage`` names, if it names any (SVG 2, 5.8.4)."""
    given = element.attributes.get("systemLanguage")
    return given is None or any(one.strip().lower().split("-")[0] == SYSTEM_LANGUAGE for one in given.split(","))


def _filter_attributes(local: str, given: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name in ATTRIBUTES and is_safe(value)}
    if "style" in given:
        kept["style"] = filter_declarations(given["style"])
    if given.get(_XML_SPACE) == "preserve":
        kept["xml:space"] = "preserve"
    href = next((given[name].strip() for name in _HREFS if name in given), "")
    if local in REFERRING and href.startswith("#"):
        kept["href"] = href
    elif local == "image" and (image := _sanitise_data_url(href)):
        kept["href"] = image
    return kept


def _sanitise_data_url(url: str) -> str:
    """A data URL of the image in ``url``; empty unless it is a small one of a type that is allowed."""
    from ..probe import probe
    from ..registry import SOURCE_FORMATS

    found = _DATA_URL.fullmatch(url)
    if found is None:
        return ""
    try:
        data = b64decode("".join(found[1].split()), validate=True)
        header = probe(Source.from_bytes(data), EMBEDDED_LIMITS)
    except (DarkroomError, ValueError):
        return ""
    if not SOURCE_FORMATS[header.format].embeddable:
        return ""
    return f"data:image/{header.format};base64,{b64encode(data).decode()}"


def _serialise(element: XmlElement, names: str = "") -> str:
    """Return the markup of ``element``, whose first tag declares ``names``."""
    local = element.name.rpartition("}")[2]
    attributes = "".join(f' {name}="{_escape(value)}"' for name, value in element.attributes.items())
    children = (_escape(child) if isinstance(child, str) else _serialise(child) for child in element.children)
    return f"<{local}{names}{attributes}>{''.join(children)}</{local}>"


def _escape(text: str) -> str:
    """``text`` for an attribute or between tags."""
    for mark, entity in _ENTITIES.items():
        text = text.replace(mark, entity)
    return text
