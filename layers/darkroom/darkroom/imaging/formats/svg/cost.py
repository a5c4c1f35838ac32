"""An estimate of the CPU time that librsvg needs for an SVG at a given size.

It covers what multiplies: references by ``use``, markers, masks, patterns and filters, layers of the size of the image,
and libvips' tiles. libvips draws an SVG in tiles of 2000 × 2000 px; for each tile librsvg draws every element, and
every filter and mask at the size of the whole image. Times were measured on one core (pyvips-binary 8.18), with each
construct at 0.01, 1, 4 and 16 megapixels. Where the area of an element is not known, that of the image is assumed, so
an estimate may be too high. It may also be too low: the CPU limit of renders does not rely on it. The memory of filters
is estimated as well, as nothing abandons a render before it takes too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from ..safe_xml import XmlElement, XmlTooLarge
from .allowlist import SVG, split_names
from .css import REFERENCE, ReferenceRule, iter_reference_rules, needs_layer
from .dashes import ARGUMENTS, COMMAND, MaximumUnits, estimate_outline, find_dash_periods, find_maximum_units

MAX_S = 8.0
"""Below the CPU limit of a request (``services/deadline.py``), so that what is certain to exceed it is not begun."""
MAX_SURFACE_BYTES = 600_000_000
"""Of surfaces of the size of the image, so that the smallest function (1,024 MB) can render every SVG."""
_SURFACE_PX_BYTES, _SURFACES = 4, 4
"""Bytes per pixel of a surface, and how many a filter or a mask takes: 573 MB for an ``feOffset`` at 36 megapixels."""
MAX_NESTING = 250
MAX_STEPS = 1_000_000
"""References that are followed for the estimate itself: about a second."""

TILE_PX = 2000


class DrawingCost(NamedTuple):
    """``us``: microseconds per tile, ``image_us`` of the image. ``tile_ns``: nanoseconds per pixel of the image;
    ``image_ns``: these per tile.
    """

    us: float = 0.0
    tile_ns: float = 0.0
    image_ns: float = 0.0
    image_us: float = 0.0

    def plus(self, other: DrawingCost, times: float = 1.0) -> DrawingCost:
        """The sum with ``times`` the ``other``."""
        return DrawingCost(*(own + times * more for own, more in zip(self, other, strict=True)))

    def seconds(self, width: int, height: int) -> float:
        """CPU time at this size in pixels."""
        tiles = -(-width // TILE_PX) * -(-height // TILE_PX)
        per_pixel_ns = self.tile_ns + self.image_ns * tiles
        return (self.image_us + self.us * tiles) * 1e-6 + width * height * per_pixel_ns * 1e-9


def _name(local: str) -> str:
    return f"{{{SVG}}}{local}"


_ONLY_BY_REFERENCE = frozenset(
    _name(local)
    for local in split_names("clipPath defs filter linearGradient marker mask pattern radialGradient style symbol")
)
_USING = {
    _name("mask"): DrawingCost(us=100, image_ns=10),
    _name("pattern"): DrawingCost(us=50, tile_ns=8),
    _name("clipPath"): DrawingCost(us=20),
    _name("filter"): DrawingCost(us=100, image_ns=6),
    _name("linearGradient"): DrawingCost(us=5, tile_ns=1),
    _name("radialGradient"): DrawingCost(us=5, tile_ns=8),
}
"""Each use of an element, besides its content."""
_PRIMITIVES = {
    _name(local): DrawingCost(us=50, image_ns=ns)
    for local, ns in {
        "feGaussianBlur": 100,
        "feDropShadow": 110,
        "feOffset": 6,
        "feFlood": 6,
        "feComponentTransfer": 38,
        "feMergeNode": 30,
        "feColorMatrix": 50,
        "feComposite": 55,
        "feBlend": 50,
    }.items()
}
_LAYER = DrawingCost(us=10, tile_ns=15)
_IMAGE = DrawingCost(us=5_000, tile_ns=15)
_ELEMENT_US = 5.0
_LETTER_US = 12.0
_VERTEX_US = 0.5
_MARKER = _name("marker")
_FILTER = _name("filter")
_MASK = _name("mask")
_MARKER_PAIR_US = 0.013
"""For each pair of vertices: librsvg searches the direction of a segment without length in all others."""

_DASH_US = 60.0
"""More than a dash takes: 100,000 take 400 MB, and the time of dashes that overlap grows faster than their number."""

_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")


def estimate_cost(root: XmlElement) -> DrawingCost:
    """The cost of drawing the clean tree ``root``; raises XmlTooLarge where it cannot be estimated in bounded time."""
    return _CostEstimator(root).cost(root, 0)


def check_cost(root: XmlElement, width: int, height: int) -> None:
    """Raise XmlTooLarge if drawing the clean tree ``root`` at this size in pixels would take more than
    :data:`MAX_S`."""
    spent_s = estimate_cost(root).seconds(width, height)
    if not spent_s <= MAX_S:  # also where numbers of the document made it no number
        raise XmlTooLarge(f"an estimated {spent_s:.0f} s at {width} x {height} px")
    needed = _count_surfaces(root) * _SURFACE_PX_BYTES * width * height
    if needed > MAX_SURFACE_BYTES:
        raise XmlTooLarge(f"an estimated {needed / 1e6:.0f} MB at {width} x {height} px")


def _count_surfaces(root: XmlElement) -> int:
    """How many surfaces of the size of the image librsvg holds at once: a filter keeps each result that has a name.

    2 KB with 70 results took 1.2 GB at 4 megapixels.
    """
    most = 0
    for element in root.walk():
        if element.name in (_FILTER, _MASK):
            named = {child.attributes["result"] for child in element.iter_children() if "result" in child.attributes}
            most = max(most, _SURFACES + len(named))
    return most


@dataclass
class _CostEstimator:
    root: XmlElement
    by_id: dict[str, XmlElement] = field(default_factory=dict)
    rules: dict[str, list[ReferenceRule]] = field(default_factory=dict)
    known: dict[int, DrawingCost] = field(default_factory=dict)
    area: float = 0.0
    periods: dict[int, float] = field(default_factory=dict)
    scales: MaximumUnits = MaximumUnits(0.0, 0.0, 0.0)
    steps: int = 0

    def __post_init__(self) -> None:
        transformed = False
        for element in self.root.walk():
            values = element.attributes
            if "id" in values:
                self.by_id.setdefault(values["id"], element)
            if element.name == _name("style"):
                for rule in iter_reference_rules(element.text):
                    key = f"#{rule.of_id}" if rule.of_id else f".{rule.of_class}" if rule.of_class else rule.element
                    self.rules.setdefault(key, []).append(rule)
            scales = element is not self.root and ("viewBox" in values or element.name == _name("svg"))
            transformed |= scales or "transform" in values or "transform" in values.get("style", "")
            transformed |= element.name == _name("style") and "transform" in element.text
        self.area = 0.0 if transformed else _area(self.root.attributes)
        self.periods = find_dash_periods(self.root)
        if self.periods:
            self.scales = find_maximum_units(self.root)

    def cost(self, element: XmlElement, depth: int) -> DrawingCost:
        """Of drawing ``element`` once; nothing while it is being counted, as librsvg breaks circles too."""
        if depth > MAX_NESTING:
            raise XmlTooLarge("references are nested too deeply")
        key = id(element)
        if key not in self.known:
            self.known[key] = DrawingCost()
            total = _own_cost(element)
            if (period := self.periods.get(key)) is not None:
                total = total.plus(DrawingCost(image_us=_DASH_US), estimate_outline(element, self.scales) / period)
            for child in element.iter_children():
                if child.name not in _ONLY_BY_REFERENCE:
                    total = total.plus(self.cost(child, depth + 1))
            rules = list(self._matching(element))
            if _is_layered(element) or any(rule.layers for rule in rules):
                total = total.plus(_LAYER)
            for target in self._targets(element, rules):
                total = total.plus(self._use(element, target, depth))
            self.known[key] = total
        return self.known[key]

    def _use(self, element: XmlElement, target: XmlElement, depth: int) -> DrawingCost:
        inside = self.cost(target, depth + 1)
        if target.name == _MARKER:
            vertices = _count_vertices(element)
            return DrawingCost(us=vertices**2 * _MARKER_PAIR_US).plus(inside, vertices)
        if target.name == _FILTER:
            inside = inside._replace(image_ns=inside.image_ns * self._share(target))
        return _USING.get(target.name, DrawingCost()).plus(inside)

    def _share(self, target: XmlElement) -> float:
        """The part of the image that a filter covers, where that is known."""
        if not self.area or target.attributes.get("filterUnits") != "userSpaceOnUse":
            return 1.0
        sides = [_NUMBER.fullmatch(target.attributes.get(name, "")) for name in ("width", "height")]
        if not all(sides):
            return 1.0
        wide, tall = (float(side[0]) for side in sides if side)
        return min(1.0, wide * tall / self.area)

    def _matching(self, element: XmlElement) -> Iterator[ReferenceRule]:
        values, local = element.attributes, element.name.rpartition("}")[2]
        keys = ["", local, f"#{values.get('id', '')}", *(f".{name}" for name in set(values.get("class", "").split()))]
        for key in keys:
            for rule in self.rules.get(key, ()):
                self._count()
                if rule.element in ("", local):
                    yield rule

    def _targets(self, element: XmlElement, rules: list[ReferenceRule]) -> Iterator[XmlElement]:
        values = element.attributes
        ids = [name for value in values.values() for name in REFERENCE.findall(value)]
        ids += [values["href"][1:]] if values.get("href", "").startswith("#") else []
        ids += list(dict.fromkeys(name for rule in rules for name in rule.ids))
        for name in ids:
            self._count()
            if name in self.by_id:
                yield self.by_id[name]

    def _count(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise XmlTooLarge("too many references")


def _is_layered(element: XmlElement) -> bool:
    values = element.attributes
    given = "opacity" in values or "mix-blend-mode" in values or "isolation" in values
    return given or needs_layer(values.get("style", "").replace(" ", ""))


def _own_cost(element: XmlElement) -> DrawingCost:
    values = element.attributes
    if element.name in _PRIMITIVES:
        return _PRIMITIVES[element.name]
    letters = len(element.text.strip())
    vertices = _count_vertices(element) if "d" in values or "points" in values else 0
    cost = DrawingCost(us=_ELEMENT_US + letters * _LETTER_US + vertices * _VERTEX_US)
    return cost.plus(_IMAGE) if element.name == _name("image") else cost


def _count_vertices(element: XmlElement) -> int:
    """Vertices where an element may have markers."""
    points = len(_NUMBER.findall(element.attributes.get("points", ""))) // 2
    segments = COMMAND.finditer(element.attributes.get("d", ""))
    return 2 + points + sum(_count_segments(match[1].lower(), match[2]) for match in segments)


def _count_segments(command: str, numbers: str) -> int:
    return max(1, len(_NUMBER.findall(numbers)) // ARGUMENTS.get(command, 1))


def _area(root: dict[str, str]) -> float:
    """Of the root's view box, or its size, in its units; 0 where that does not show how much of the image is drawn."""
    if "slice" in root.get("preserveAspectRatio", ""):  # the view box is larger than the image then
        return 0.0
    words = root.get("viewBox", "").replace(",", " ").split() or [
        "0",
        "0",
        root.get("width", ""),
        root.get("height", ""),
    ]
    try:
        _, _, wide, tall = map(float, words)
    except ValueError:
        return 0.0
    return wide * tall if 0 < wide < inf and 0 < tall < inf else 0.0
