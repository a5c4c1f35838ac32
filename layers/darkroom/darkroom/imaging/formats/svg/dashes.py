"""Estimate the dashes of an SVG: each takes librsvg up to 50 µs and 4 KB, and 600 bytes can declare millions.

Twenty diagonals of a megapixel with round dashes of 0.01 px took 46 s and 2.3 GB (pyvips-binary 8.18). The number of
dashes does not depend on the size of the image, nor on transforms: it is the length of a line in periods of its dashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import hypot, inf, isnan, pi
from typing import NamedTuple

from ..safe_xml import XmlElement
from .allowlist import SVG, split_names
from .css import iter_compounds

SHAPES = split_names("circle ellipse line path polygon polyline rect text tspan textPath")

_STYLE = f"{{{SVG}}}style"
_EFFECT = re.compile(r"vector-effect\s*:[^;{}]*;?")
_DECLARED = re.compile(r"stroke-dasharray\s*:\s*([^;{}]*)")
COMMAND = re.compile(r"([a-df-zA-DF-Z])([^a-df-zA-DF-Z]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
ARGUMENTS = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2, "a": 7}
"""Numbers of one segment, by the path command."""
_LETTER_EMS = 6.0
"""Length of the outline of a letter, in font sizes."""
_FONT_PX, _LARGE_PX, _UNIT_PX, _MOST_PX = 16.0, 48.0, 96.0, 1e9
"""The size that a font has by default, the largest that a word means, the largest unit of length (1in), and a bound."""
_LEAST_PX = 1e-9
_TEXTS = split_names("text tspan textPath")
_FONT = re.compile(r"font(-size)?\s*:\s*([^;{}]*)")
_SIZE = re.compile(r"(\d+\.?\d*(?:[eE][-+]?\d{1,3})?|\.\d+(?:[eE][-+]?\d{1,3})?)\s*(%|[a-zA-Z]*)")
_SIGNED = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*(%|[a-zA-Z]*)")
_SIDES = ("viewBox", "width", "height")
_GEOMETRY = re.compile(r"(?<![\w-])(?:r|rx|ry|width|height)\s*:([^;{}]*)")
_MAX_RULES = 50
"""With sizes, that are compared with each shape; of more only the largest size counts."""
_OUTLINE_SIDES = 2 * pi
"""Length of the longest outline, a circle's, by the largest number of its size."""
_RELATIVE = {"%": 0.01, "em": 1.0, "rem": 1.0, "ex": 1.0, "ch": 1.0}


class MinimumUnits(NamedTuple):
    """What 1 em and 1 percent of dashes amount to in units of the document at least."""

    em: float
    percent: float


def find_minimum_units(root: XmlElement) -> MinimumUnits:
    """The least of a clean tree. Relative font sizes are multiplied, as elements that have them may be nested."""
    em, factor, side = _FONT_PX, 1.0, inf
    for element in root.walk():
        values = element.attributes
        sheet = element.text if element.name == _STYLE else ""
        css = f"font-size:{values.get('font-size', '')};font:{values.get('font', '')};{values.get('style', '')};{sheet}"
        for longhand, text in _FONT.findall(css):
            factor *= 0.8 if "small" in text else 1.0
            for number, unit in _SIZE.findall(text):
                size = float(number)
                if unit in _RELATIVE:
                    factor *= min(1.0, size * _RELATIVE[unit])
                elif (unit or longhand) and size > 0:
                    em = min(em, size)
        sides = (abs(number) for name in _SIDES for number in _numbers(values.get(name, "")))
        side = min(side, *(number for number in sides if number > 0), inf)
    return MinimumUnits(max(em * factor, _LEAST_PX), max(side / 100, _LEAST_PX) if side < inf else 1.0)


def read_dash_period(values: dict[str, str], least: MinimumUnits) -> float | None:
    """The period of dashes that an element itself declares, in its units: inf for none, None without a declaration.

    Of several the shortest: which one counts depends on more than their order.
    """
    texts = [*_DECLARED.findall(values.get("style", "")), values.get("stroke-dasharray", "")]
    return min((period for text in texts if (period := parse_period(text, least)) is not None), default=None)


def find_shortest_period(sheet: str, least: MinimumUnits) -> float:
    """The shortest period that a clean style sheet declares for any element; inf if it declares none."""
    periods = (parse_period(text, least) for text in _DECLARED.findall(sheet))
    return min((period for period in periods if period is not None), default=inf)


def parse_period(text: str, least: MinimumUnits) -> float | None:
    """The sum of the dashes in ``text``, inf if there are none; None where it is invalid, and counts as not declared.

    Absolute units are taken for pixels, than which none is shorter.
    """
    words = text.replace(",", " , ").split()
    if words == ["none"]:
        return inf
    dashes = [_SIGNED.fullmatch(word) for word in words if word != ","]
    commas = [at for at, word in enumerate(words) if word == ","]
    misplaced = any(at + 1 in (len(words), *commas) or at == 0 for at in commas) if commas else False
    if not dashes or misplaced or not all(dashes):
        return None
    factors = {"%": least.percent, **dict.fromkeys(("em", "rem", "ex", "ch"), least.em)}
    sizes = [float(dash[1]) * factors.get(dash[2].lower(), 1.0) for dash in dashes if dash]
    if any(size < 0 for size in sizes):
        return None
    total = sum(sizes)
    return total if total > 0 else inf


def find_dash_periods(root: XmlElement) -> dict[int, float]:
    """The period of dashes by shape. Where a style sheet or ``use`` declares any, each shape has the shortest."""
    least = find_minimum_units(root)
    sheets = min((find_shortest_period(one.text, least) for one in root.walk() if one.name == _STYLE), default=inf)
    periods: dict[int, float] = {}
    shortest, everywhere = sheets, sheets < inf
    waiting = [(root, inf)]
    while waiting:
        element, inherited = waiting.pop()
        declared = read_dash_period(element.attributes, least)
        period = inherited if declared is None else declared
        shortest = min(shortest, period)
        local = element.name.rpartition("}")[2]
        everywhere |= local == "use" and period < inf
        if local in SHAPES and period < inf:
            periods[id(element)] = period
        waiting.extend((child, period) for child in element.iter_children())
    if everywhere:
        return {id(one): shortest for one in root.walk() if one.name.rpartition("}")[2] in SHAPES}
    return periods


def scale_dashed_strokes(root: XmlElement) -> None:
    """Remove ``vector-effect`` from what may be dashed: strokes that do not scale have dashes in pixels of the image.

    Their number then depends on all transforms, view boxes and units of patterns and markers around a line.
    """
    periods = find_dash_periods(root)
    for element in root.walk() if periods else ():
        values = element.attributes
        if id(element) in periods:
            values.pop("vector-effect", None)
            if "style" in values:
                values["style"] = _EFFECT.sub("", values["style"])
        if element.name == _STYLE:
            element.children = [_EFFECT.sub("", element.text)]


def estimate_letter_length(root: XmlElement) -> float:
    """The length of the outline of a letter in the largest font of the document, or more, in its units.

    Relative sizes are multiplied where elements that may have them are nested.
    """
    sheets = "".join(element.text for element in root.walk() if element.name.endswith("style"))
    largest, by_sheet = _font_sizes(sheets)
    most = 1.0
    waiting = [(root, 1.0)]
    while waiting:
        element, factor = waiting.pop()
        values = element.attributes
        own_px, own = _font_sizes(
            f"font-size:{values.get('font-size', '')};font:{values.get('font', '')};{values.get('style', '')}"
        )
        largest = max(largest, own_px)
        factor *= max(own, by_sheet if "class" in values or element.name.rpartition("}")[2] in _TEXTS else 1.0)
        most = max(most, factor)
        waiting.extend((child, factor) for child in element.iter_children())
    return _LETTER_EMS * min(max(_FONT_PX, largest) * most, _MOST_PX)


def _font_sizes(declarations: str) -> tuple[float, float]:
    """The largest size in px that is declared, or 0, and the largest factor of a relative one, or 1."""
    largest, factor = 0.0, 1.0
    for longhand, text in _FONT.findall(declarations):
        largest = max(largest, _LARGE_PX if "large" in text else 0.0)
        factor = max(factor, 1.2 if "larger" in text else 1.0)
        for number, unit in _SIZE.findall(text):
            if unit in _RELATIVE:
                factor = max(factor, float(number) * _RELATIVE[unit])
            elif unit or longhand:  # a number alone is the weight or the line height of `font`
                largest = max(largest, float(number) * (1.0 if unit in ("", "px") else _UNIT_PX))
    return largest, factor


class MaximumUnits(NamedTuple):
    """What lengths of a document amount to in its units at most: the outline of a ``letter``, 1 ``percent``, 1 ``em``.

    ``sizes`` are those of style sheets: what an element has to match (element, class and id), and the largest size.
    """

    letter: float
    percent: float
    em: float
    sizes: Sequence[tuple[tuple[str, str, str], float]] = ()


def find_maximum_units(root: XmlElement) -> MaximumUnits:
    """The scales of a clean tree."""
    letter, largest = estimate_letter_length(root), 0.0
    for element in root.walk():
        for name in _SIDES:
            largest = max(largest, *map(abs, _numbers(element.attributes.get(name, ""))), 0.0)
    scales = MaximumUnits(letter, largest / 100, letter / _LETTER_EMS)
    sizes = [
        (compound, size)
        for element in root.walk()
        if element.name == _STYLE
        for compound, body in iter_compounds(element.text)
        if (size := _declared_size(body, scales)) > 0
    ]
    if len(sizes) > _MAX_RULES:
        sizes = [(("", "", ""), max(size for _, size in sizes))]
    return scales._replace(sizes=sizes)


def _declared_size(css: str, scales: MaximumUnits) -> float:
    """The largest number by which declarations give the size of a shape, 0 if none does."""
    return max((_px(text, scales) for text in _GEOMETRY.findall(css)), default=0.0)


def _css_size(local: str, values: dict[str, str], scales: MaximumUnits) -> float:
    """The same of an element, by its own declarations and by style sheets."""
    size = _declared_size(values.get("style", ""), scales)
    classes = values.get("class", "").split()
    for (element, of_class, of_id), of_rule in scales.sizes:
        if element in ("", local) and (not of_class or of_class in classes) and of_id in ("", values.get("id", "")):
            size = max(size, of_rule)
    return size


def estimate_outline(element: XmlElement, scales: MaximumUnits) -> float:
    """The length of the outline of a shape in its units, or more; 0 for what is no shape."""
    local = element.name.rpartition("}")[2]
    values = element.attributes
    if local in _TEXTS:
        return scales.letter * len(element.text.strip())
    if local in _BY_SIDES:
        names, measure = _BY_SIDES[local]
        found = measure(*(_px(values.get(name, ""), scales) for name in names))
        if local != "line":
            found = max(found, _OUTLINE_SIDES * _css_size(local, values, scales))
    else:
        found = _BY_POINTS[local](values) if local in _BY_POINTS else 0.0
    return inf if isnan(found) else max(0.0, found)  # negative sizes are not drawn


def _px(text: str, scales: MaximumUnits) -> float:
    """The first length in ``text``, signed as it is."""
    found = _SIGNED.search(text)
    if found is None:
        return 0.0
    unit = found[2].lower()
    factor = {"": 1.0, "px": 1.0, "%": scales.percent, **dict.fromkeys(("em", "rem", "ex", "ch"), scales.em)}
    return float(found[1]) * factor.get(unit, _UNIT_PX)


def _numbers(text: str) -> Iterator[float]:
    return (float(number) for number in _NUMBER.findall(text))


def _path(data: str) -> float:
    """The length of the polygon of all control points, which is at least that of the path. Arcs are full ellipses."""
    total, x, y, start = 0.0, 0.0, 0.0, (0.0, 0.0)
    for command in COMMAND.finditer(data):
        letter, relative = command[1].lower(), command[1].islower()
        numbers = list(_numbers(command[2]))
        step = ARGUMENTS.get(letter)
        if step is None:
            total, (x, y) = total + hypot(x - start[0], y - start[1]), start
            continue
        for at in range(0, len(numbers) - step + 1, step):
            from_x, from_y = x, y
            for to_x, to_y in _points(letter, numbers[at : at + step], from_x, from_y, relative=relative):
                total, x, y = total + hypot(to_x - x, to_y - y), to_x, to_y
            if letter == "a":
                total += 2 * pi * max(abs(numbers[at]), abs(numbers[at + 1]))
            if letter == "m" and at == 0:
                start = (x, y)
    return total


def _points(letter: str, numbers: list[float], x: float, y: float, *, relative: bool) -> Iterator[tuple[float, float]]:
    """The control points of one segment that begins at ``x``, ``y``."""
    origin_x, origin_y = (x, y) if relative else (0.0, 0.0)
    if letter == "h":
        yield origin_x + numbers[0], y
    elif letter == "v":
        yield x, origin_y + numbers[0]
    else:
        pairs = numbers[5:] if letter == "a" else numbers
        for at in range(0, len(pairs), 2):
            yield origin_x + pairs[at], origin_y + pairs[at + 1]


_BY_SIDES: dict[str, tuple[tuple[str, ...], Callable[..., float]]] = {
    "line": (("x1", "x2", "y1", "y2"), lambda x1, x2, y1, y2: hypot(x2 - x1, y2 - y1)),
    "rect": (("width", "height"), lambda width, height: 2 * (width + height)),
    "circle": (("r",), lambda r: 2 * pi * r),
    "ellipse": (("rx", "ry"), lambda rx, ry: 2 * pi * max(rx, ry)),
}
_BY_POINTS: dict[str, Callable[[dict[str, str]], float]] = {
    "polygon": lambda values: 2 * _path(f"M{values.get('points', '')}"),
    "polyline": lambda values: _path(f"M{values.get('points', '')}"),
    "path": lambda values: _path(values.get("d", "")),
}
