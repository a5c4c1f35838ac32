"""Build the JSON of ``meta/``: thumbor's operations on the source, by its ``transformer.py`` (7.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from .model import Side, ThumborOptions

type Point = dict[str, object]

_SHARE = {"left": 0.0, "top": 0.0, "center": 0.5, "middle": 0.5, "right": 1.0, "bottom": 1.0}
_ON_ITS_SIDE = 5
"""The smallest EXIF orientation of an image stored rotated by 90 degrees."""

_HALF_UP = 1e-5
"""Added by thumbor so that halves are rounded up."""


@dataclass(slots=True)
class _Engine:
    """The current size of the image, and the operations so far."""

    width: float
    height: float
    operations: list[dict[str, object]] = field(default_factory=list)

    def crop(self, left: int, top: int, right: int, bottom: int) -> None:
        self.operations.append({"type": "crop", "left": left, "top": top, "right": right, "bottom": bottom})
        self.width, self.height = right - left, bottom - top

    def resize(self, width: float, height: float) -> None:
        self.operations.append({"type": "resize", "width": width, "height": height})
        self.width, self.height = int(width), int(height)


def describe(options: ThumborOptions, source: Mapping[str, object]) -> dict[str, object]:
    """Return the document about ``source``, an object of ``f=json``.

    As in thumbor, ``source`` has the size after the operations. The document omits what needs pixels: trim, and the
    focal points of ``smart``.
    """
    size = (int(str(source["width"])), int(str(source["height"])))
    lies = not options.settings.thumbor.respect_orientation and int(str(source.get("orientation", 1))) >= _ON_ITS_SIDE
    engine = _Engine(*(size[::-1] if lies else size))
    crop = _crop(engine, options.crop)
    box = _box(engine, options)
    points = _focal_points(engine, options, crop)
    if options.fit_in:
        _contain(engine, options, box)
    else:
        if not options.stretch:
            _crop_to_cover(engine, box, points)
        if box != (engine.width, engine.height):
            engine.resize(box[0] or 1.0, box[1] or 1.0)
    width, height = _target(engine)
    engine.operations += [{"type": f"flip_{name}"} for axis, name in _FLIPS if axis in options.flip]
    return {
        "thumbor": {
            "source": {
                "url": options.image,
                "width": engine.width,
                "height": engine.height,
                "frameCount": source["frames"],
            },
            "operations": engine.operations,
            "target": {"width": width, "height": height},
            "focal_points": points,
        }
    }


_FLIPS = (("h", "horizontally"), ("v", "vertically"))


def _crop(engine: _Engine, requested: tuple[int, int, int, int] | None) -> tuple[int, int, int, int] | None:
    if requested is None:
        return None
    left, right = (min(edge, int(engine.width)) for edge in requested[::2])
    top, bottom = (min(edge, int(engine.height)) for edge in requested[1::2])
    if left >= right or top >= bottom:
        return None
    engine.crop(left, top, right, bottom)
    return left, top, right, bottom


def _box(engine: _Engine, options: ThumborOptions) -> tuple[float, float]:
    width, height = _length(options.width, engine.width), _length(options.height, engine.height)
    if not width and not height:
        return engine.width, engine.height
    return (
        width or float(round(height * engine.width / engine.height)),
        height or float(round(width * engine.height / engine.width)),
    )


def _length(side: Side, own: float) -> float:
    return float(own if side == "orig" else side)


def _focal_points(engine: _Engine, options: ThumborOptions, crop: tuple[int, int, int, int] | None) -> list[Point]:
    found = []
    for left, top, right, bottom in options.focal:
        x, y = left + (right - left) // 2, top + (bottom - top) // 2
        if crop is not None:
            if not (crop[0] <= x <= crop[2] and crop[1] <= y <= crop[3]):
                continue
            x, y = x - crop[0], y - crop[1]
        found.append(_point(x, y, right - left, bottom - top, (right - left) * (bottom - top), "Explicit"))
    x, y = int(engine.width * _SHARE[options.halign]), int(engine.height * _SHARE[options.valign])
    return found or [_point(x, y, 1, 1, 1.0, "alignment")]


def _point(x: int, y: int, width: int, height: int, weight: float, origin: str) -> Point:
    return {"x": x, "y": y, "z": weight, "height": height, "width": width, "origin": origin}


def _crop_to_cover(engine: _Engine, box: tuple[float, float], points: Sequence[Point]) -> None:
    """Crop to the ratio of the box, unless it equals the image's ratio to two decimals."""
    own, target = (engine.width, engine.height), (box[0] or 1.0, box[1] or 1.0)
    if round(own[0] / own[1], 2) == round(target[0] / target[1], 2):
        return
    if target[0] / own[0] > target[1] / own[1]:
        kept = (int(own[0]), round(own[0] * target[1] / target[0]))
    else:
        kept = (ceil(target[0] * own[1] / target[1]), int(own[1]))
    weights = [float(str(point["z"])) for point in points]
    edges = []
    for name, side, length in (("x", own[0], kept[0]), ("y", own[1], kept[1])):
        middle = sum(int(str(point[name])) * weight for point, weight in zip(points, weights, strict=True))
        first = round(min(max(middle // sum(weights) - length / 2, 0.0), side - length))
        edges.append((first, min(first + length, int(side))))
    engine.crop(edges[0][0], edges[1][0], edges[0][1], edges[1][1])


def _contain(engine: _Engine, options: ThumborOptions, box: tuple[float, float]) -> None:
    """Fit into ``box``. thumbor divides by a side that rounds to 0 and responds with 500; here it is 1 px."""
    box = (box[0] or 1.0, box[1] or 1.0)
    if options.adaptive and (engine.width - engine.height) * (box[0] - box[1]) < 0:
        box = (box[1], box[0])
    sign = -1 if options.full else 1
    if sign == 1 and box[0] >= engine.width and box[1] >= engine.height:
        return
    if engine.width / box[0] * sign >= engine.height / box[1] * sign:
        engine.resize(box[0], max(1, round(engine.height * box[0] / engine.width + _HALF_UP)))
    else:
        engine.resize(max(1, round(engine.width * box[1] / engine.height + _HALF_UP)), box[1])


def _target(engine: _Engine) -> tuple[object, object]:
    """Return the size of the last resize, else that of the image."""
    for operation in reversed(engine.operations):
        if operation["type"] == "resize":
            return operation["width"], operation["height"]
    return engine.width, engine.height
