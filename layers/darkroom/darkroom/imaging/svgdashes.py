"""How many dashes an SVG has: each takes librsvg up to 50 µs and 4 KB, and 600 bytes can ask for millions.

Twenty diagonals of a megapixel with round dashes of 0.01 px took 46 s and 2.3 GB (pyvips-binary 8.18). The number of
dashes does not depend on the size of the image, nor on transforms: it is the length of a line in periods of its dashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import hypot, inf, pi

from .svgnames import names
from .xmltree import Element

SHAPES = names("circle ellipse line path polygon polyline rect text tspan textPath")

_DECLARED = re.compile(r"stroke-dasharray\s*:\s*([^;{}]*)")
_COMMAND = re.compile(r"([a-df-zA-DF-Z])([^a-df-zA-DF-Z]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_ARGUMENTS = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2, "a": 7}
_LETTER_UNITS = 100.0
"""Length of the outline of a letter."""


def dash_period(values: dict[str, str]) -> float | None:
    """The period of dashes that an element itself declares, in its units: inf for none, None without a declaration."""
    declared = _DECLARED.findall(values.get("style", ""))
    if declared:
        return parse_period(declared[-1])
    return parse_period(values["stroke-dasharray"]) if "stroke-dasharray" in values else None


def shortest_period(sheet: str) -> float:
    """The shortest period that a clean style sheet declares for any element; inf if it declares none."""
    return min(map(parse_period, _DECLARED.findall(sheet)), default=inf)


def parse_period(text: str) -> float:
    """The sum of the dashes in ``text``, inf if there are none or none has a length. Units are taken for pixels."""
    total = sum(abs(number) for number in _numbers(text))
    return total if total > 0 else inf


def length(element: Element) -> float:
    """The length of the outline of a shape in its units, or more; 0 for what is no shape."""
    measure = _LENGTHS.get(element.name.rpartition("}")[2])
    if measure is None:
        return _LETTER_UNITS * len(element.text.strip())
    return measure(element.attributes)


def _value(values: dict[str, str], name: str) -> float:
    return next(_numbers(values.get(name, "")), 0.0)


def _numbers(text: str) -> Iterator[float]:
    return (float(number) for number in _NUMBER.findall(text))


def _path(data: str) -> float:
    """The length of the polygon of all control points, which is at least that of the path. Arcs are full ellipses."""
    total, x, y, start = 0.0, 0.0, 0.0, (0.0, 0.0)
    for command in _COMMAND.finditer(data):
        letter, relative = command[1].lower(), command[1].islower()
        numbers = list(_numbers(command[2]))
        step = _ARGUMENTS.get(letter)
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


def _of_line(values: dict[str, str]) -> float:
    return hypot(_value(values, "x2") - _value(values, "x1"), _value(values, "y2") - _value(values, "y1"))


_LENGTHS: dict[str, Callable[[dict[str, str]], float]] = {
    "line": _of_line,
    "rect": lambda values: 2 * (_value(values, "width") + _value(values, "height")),
    "circle": lambda values: 2 * pi * _value(values, "r"),
    "ellipse": lambda values: 2 * pi * max(_value(values, "rx"), _value(values, "ry")),
    "polygon": lambda values: 2 * _path(f"M{values.get('points', '')}"),
    "polyline": lambda values: _path(f"M{values.get('points', '')}"),
    "path": lambda values: _path(values.get("d", "")),
}
