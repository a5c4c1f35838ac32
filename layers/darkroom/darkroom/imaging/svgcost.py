"""How much drawing an SVG asks for, with everything that ``use``, markers, masks, patterns and filters multiply.

librsvg stops at 500,000 references and at 50 nested layers, but a few hundred bytes of filters or masks still keep
it busy for minutes. One point is about 5 µs of drawing at a megapixel (pyvips-binary 8.18, one core).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .svgcss import REFERENCE, references
from .svgnames import SVG, names
from .xmltree import Element, TooMuch

MAX_POINTS = 200_000
MAX_NESTING = 250

_ONLY_BY_REFERENCE = frozenset(
    f"{{{SVG}}}{name}"
    for name in names("clipPath defs filter linearGradient marker mask pattern radialGradient style symbol")
)
_USING = {
    f"{{{SVG}}}mask": 200,
    f"{{{SVG}}}pattern": 100,
    f"{{{SVG}}}clipPath": 50,
    f"{{{SVG}}}filter": 500,
    f"{{{SVG}}}linearGradient": 1,
    f"{{{SVG}}}radialGradient": 1,
}
"""Points for each use of an element, besides what it holds."""
_OWN = {f"{{{SVG}}}feGaussianBlur": 20_000, f"{{{SVG}}}feDropShadow": 20_000, f"{{{SVG}}}image": 5_000}
_FILTER_POINTS = 2_000
_LAYER_POINTS = 50
_MARKER = f"{{{SVG}}}marker"


def check_cost(root: Element) -> None:
    """Raise TooMuch if drawing the clean tree ``root`` would take seconds."""
    counter = _Counter(root)
    if counter.points(root, 0) > MAX_POINTS:
        raise TooMuch("too much to draw")


@dataclass
class _Counter:
    root: Element
    by_id: dict[str, Element] = field(default_factory=dict)
    by_class: dict[str, list[str]] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for element in self.root.walk():
            if "id" in element.attributes:
                self.by_id.setdefault(element.attributes["id"], element)
            if element.name == f"{{{SVG}}}style":
                for name, ids in references(element.text).items():
                    self.by_class.setdefault(name, []).extend(ids)

    def points(self, element: Element, depth: int) -> int:
        """Points for drawing ``element`` once; 0 while it is being counted, as librsvg breaks circles too."""
        if depth > MAX_NESTING:
            raise TooMuch("references are nested too deeply")
        key = id(element)
        if key not in self.known:
            self.known[key] = 0
            drawn = (child for child in element.elements() if child.name not in _ONLY_BY_REFERENCE)
            inside = sum(self.points(child, depth + 1) for child in drawn)
            used = sum(self._using(element, target, depth) for target in self._targets(element))
            self.known[key] = _own_points(element) + inside + used
        return self.known[key]

    def _using(self, element: Element, target: Element, depth: int) -> int:
        times = _vertices(element) if target.name == _MARKER else 1
        return times * (_USING.get(target.name, 0) + self.points(target, depth + 1))

    def _targets(self, element: Element) -> Iterator[Element]:
        values = element.attributes
        names = [name for value in values.values() for name in REFERENCE.findall(value)]
        names += [values["href"][1:]] if values.get("href", "").startswith("#") else []
        for name in ("*", *values.get("class", "").split()):
            names += self.by_class.get(name, [])
        return (self.by_id[name] for name in names if name in self.by_id)


def _own_points(element: Element) -> int:
    values = element.attributes
    local = element.name.rpartition("}")[2]
    base = _OWN.get(element.name, _FILTER_POINTS if local.startswith("fe") else 1)
    layer = _LAYER_POINTS if "opacity" in values or "opacity:" in values.get("style", "") else 0
    return (
        base + layer + (len(values.get("d", "")) + len(values.get("points", ""))) // 100 + 2 * len(element.text.strip())
    )


def _vertices(element: Element) -> int:
    """At least as many as the vertices where an element may have markers."""
    return (
        2 + sum(map(str.isalpha, element.attributes.get("d", ""))) + len(element.attributes.get("points", "").split())
    )
