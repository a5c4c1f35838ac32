"""The edits that are compared, each with its source image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from tests.peers.thumbor.sources import ALPHA, BORDERED, GREY, MARK, SMALL, TALL, WIDE

type Edits = dict[str, Any]


class Row(NamedTuple):
    """One request: its ``edits`` in their order, of the image ``source``."""

    group: str
    source: str
    edits: Edits


BOXES: tuple[Edits, ...] = (
    *({"width": 300, "height": 200}, {"width": 300}, {"height": 200}, {"width": 50, "height": 300}),
    *({"width": 900, "height": 700}, {"width": 101, "height": 67}, {"width": 7, "height": 3}, {"width": "150.6"}),
)
FITS = ("cover", "contain", "fill", "inside", "outside")
PLACES = ("top", "right bottom", "left", "north", "southeast", "centre", 3, 8)
BOX: Edits = {"width": 200, "height": 140}

TONES: tuple[Edits, ...] = (
    *({"tint": tint} for tint in ("#ff0000", "#704214", {"r": 20, "g": 90, "b": 200}, "white", "black", "#00ff80")),
    *({"gamma": gamma} for gamma in (1.0, 1.5, 2.2, 3)),
    *(
        {"clahe": clahe}
        for clahe in (
            {"width": 3, "height": 3},
            {"width": 40, "height": 40},
            {"width": 9, "height": 60, "maxSlope": 10},
        )
    ),
    *({"negate": True}, {"negate": {"alpha": False}}, {"normalise": True}, {"normalize": True}, {"greyscale": True}),
    *(
        {"grayscale": True},
        {"greyscale": False},
        {"linear": 1.4},
        {"linear": 0.5},
        {"threshold": 100},
        {"threshold": True},
    ),
    *({"recomb": [[0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.5, 0.4]]}, {"recomb": [[1, 0, 0], [0, 0.5, 0], [0, 0, 1]]}),
    *({"modulate": {"brightness": 1.3}}, {"modulate": {"brightness": 0.6}}, {"modulate": {"saturation": 0.4}}),
    *({"modulate": {"saturation": 1.8}}, {"modulate": {"hue": 90}}, {"modulate": {"lightness": 20}}),
    *({"modulate": {"brightness": 0.9, "saturation": 1.4, "hue": 200, "lightness": -5}}, {"extractChannel": "green"}),
    *({"extractChannel": 0}, {"toColourspace": "b-w"}, {"toColorspace": "srgb"}, {"pipelineColourspace": "rgb16"}),
)
TOGETHER: tuple[Edits, ...] = (
    *({"greyscale": True, "linear": 1.5}, {"greyscale": True, "tint": "#704214"}, {"greyscale": True, "negate": True}),
    *({"negate": True, "linear": 1.5}, {"linear": 1.5, "negate": True}, {"tint": "#ff0000", "negate": True}),
    *({"negate": True, "tint": "#0000ff"}, {"normalise": True, "tint": "#00ff00"}, {"linear": 2, "normalise": True}),
    *({"modulate": {"brightness": 1.5}, "negate": True}, {"negate": True, "modulate": {"saturation": 2}}),
    *({"recomb": [[2, 0, 0], [0, 2, 0], [0, 0, 2]], "modulate": {"brightness": 0.5}}, {"linear": 3, "tint": "#ff0000"}),
    *({"modulate": {"brightness": 2}, "linear": 0.5}, {"clahe": {"width": 30, "height": 30}, "tint": "#3366cc"}),
    *({"extractChannel": "red", "negate": True}, {"greyscale": True, "modulate": {"brightness": 1.4}}),
    *({"threshold": 128, "blur": 2}, {"blur": 3, "negate": True}, {"gamma": 2.2, "greyscale": True}),
    *(
        {"greyscale": True, "normalise": True},
        {"normalise": True, "negate": True},
        {"sharpen": True, "greyscale": True},
    ),
)
EFFECTS: tuple[Edits, ...] = (
    *({"blur": True}, {"blur": 0.5}, {"blur": 3}, {"blur": 12}, {"sharpen": True}, {"sharpen": {"sigma": 1}}),
    *(
        {"sharpen": {"sigma": 3}},
        {"median": 3},
        {"median": 7},
        {"flatten": True},
        {"flatten": {"background": "#ff8800"}},
    ),
    *({"convolve": {"width": 3, "height": 3, "kernel": [-1, 0, 1, -2, 0, 2, -1, 0, 1]}}, {"ensureAlpha": 1}),
    *({"convolve": {"width": 3, "height": 3, "kernel": [1, 2, 1, 2, 4, 2, 1, 2, 1]}}, {"roundCrop": True}),
    *({"roundCrop": {"rx": 60, "ry": 40}}, {"roundCrop": {"rx": 30, "ry": 30, "top": 40, "left": 50}}, {"flip": True}),
    *({"flop": True}, {"flip": True, "flop": True}, {"rotate": 90}, {"rotate": 180}, {"rotate": -90}, {"rotate": 45}),
    *({"rotate": None}, {"stripExif": True}, {"animated": False}, {"ofTomorrow": 1}, {"extend": 10}),
    *({"extend": {"top": 5, "left": 20, "background": "#00ff00"}}, {"extend": {"bottom": 30, "background": "red"}}),
)
REGIONS: tuple[Edits, ...] = (
    {"extract": {"left": 10, "top": 20, "width": 80, "height": 100}},
    {"crop": {"left": 0, "top": 0, "width": 50, "height": 30}},
    {"crop": {"left": 20, "top": 10, "width": 150, "height": 120}, "resize": {"width": 90}},
    {"extract": {"left": 20, "top": 10, "width": 150, "height": 120}, "resize": {"width": 60, "height": 60}},
)
MARKS: tuple[Edits, ...] = tuple(
    {"overlayWith": {"bucket": "pictures", "key": MARK, **more}}
    for more in (
        *({}, {"alpha": "40"}, {"wRatio": "20"}, {"hRatio": "30", "alpha": "10"}, {"wRatio": "20", "hRatio": "50"}),
        *({"options": {"left": "10", "top": "20"}}, {"options": {"left": "-10", "top": "-5"}}),
        *({"options": {"left": "50p", "top": "-10p"}}, {"options": {"gravity": "southeast"}}),
        *({"options": {"gravity": "north"}}, {"wRatio": "30", "options": {"left": "10p", "top": "5"}}),
    )
)
TRIMS: tuple[Edits, ...] = ({"trim": {}}, {"trim": {"threshold": 30}}, {"trim": {"background": "#faf8f6"}})


def rows() -> list[Row]:
    """All rows, in a fixed order."""
    return list(_rows())


def _rows() -> Iterator[Row]:
    for box, fit, source in product(BOXES, FITS, (WIDE, ALPHA)):
        yield Row("resize", source, {"resize": {**box, "fit": fit}})
    for place, fit in product(PLACES, ("cover", "contain")):
        yield Row("place", TALL, {"resize": {**BOX, "fit": fit, "position": place}})
    for more, source in product(
        ({"withoutEnlargement": True}, {"withoutEnlargement": True, "fit": "inside"}, {"ratio": 0.5}), (SMALL, WIDE)
    ):
        yield Row("resize", source, {"resize": {"width": 300, "height": 150, **more}})
    yield Row("resize", WIDE, {"resize": {"ratio": 0.3}})
    for edits, source in product((*TONES, *TOGETHER), (WIDE, ALPHA)):
        yield Row("tone", source, {"resize": dict(BOX), **edits})
    for edits, source in product(EFFECTS, (WIDE, ALPHA)):
        yield Row("effect", source, {"resize": dict(BOX), **edits})
    for edits in REGIONS:
        yield Row("region", WIDE, edits)
    for edits in MARKS:
        yield Row("mark", WIDE, {"resize": dict(BOX), **edits})
    for edits in TRIMS:
        yield Row("trim", BORDERED, edits)
    for edits in (
        {"tint": "#704214"},
        {"negate": True},
        {"normalise": True},
        {"blur": 2},
        {"modulate": {"brightness": 1.3}},
    ):
        yield Row("kind", GREY, edits)
    for edits in ({"rotate": 90, "resize": dict(BOX)}, {"rotate": 90, "resize": {**BOX, "position": "top"}}):
        yield Row("turn", WIDE, edits)
    for edits in ({"rotate": 90}, {"flop": True, "rotate": 90}, {"flip": True, "rotate": 30}, {"rotate": 200.5}):
        yield Row("turn", TALL, {"resize": {"width": 120}, **edits})
