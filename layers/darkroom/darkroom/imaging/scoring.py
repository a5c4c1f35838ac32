"""How like the finished picture an encoded one looks, on SSIMULACRA2's scale, by libvips alone.

This is SSIMULACRA2 (``tools/ssimulacra2.cc`` of libjxl 0.11, Copyright the JPEG XL Project Authors, BSD-3-Clause) less
what weighs nothing: of 108 features it has the 26 whose weights are above 0.2, so that only lightness is looked at in
full size, two planes at half of it, and nothing below a sixteenth. ``docs/performance.md`` shows how far from the whole
it is. 100 is the same picture, 90 cannot be told apart, 70 is high and 50 medium quality.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pyvips

LEAST_SIDE_PX = 16
"""Smaller pictures have nothing left at the smallest scale."""

X, Y, B = range(3)
"""The planes: red against green, lightness, and blue against lightness."""

_SCALES = 5
_C2 = 0.0009
_BIAS = 0.0037930732552754493
_ABSORBANCE = [
    [0.30, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
]
_KERNEL = [0.00941437, 0.03601111, 0.10933537, 0.21292859, 0.26462111, 0.21292859, 0.10933537, 0.03601111, 0.00941437]
_MARGIN_PX = len(_KERNEL) // 2
_GREY = 128
_UNIT = 65_000
"""Light as a whole number below 65,536, with room for the bias: the roots come from a table."""


@dataclass(frozen=True, slots=True)
class _Weights:
    """Of a plane at a scale: of unlikeness, of what was added and of what was lost, by their means and 4-norms."""

    unlike: tuple[float, float] = (0.0, 0.0)
    added: tuple[float, float] = (0.0, 0.0)
    lost: tuple[float, float] = (0.0, 0.0)

    @property
    def edges(self) -> bool:
        return any(self.added) or any(self.lost)


_WEIGHTS: tuple[Mapping[int, _Weights], ...] = (
    {Y: _Weights((0.0, 7.466890328078848), lost=(0.0, 17.445833984131262))},
    {
        X: _Weights((0.0, 1.1041726426657346)),
        Y: _Weights((0.0, 6.683678146179332), lost=(0.0, 1.027889937768264)),
    },
    {
        X: _Weights((0.0, 1.8422455520539298), (0.0, 11.441172603757666)),
        Y: _Weights((225.20515300849274, 19.213238186143016)),
    },
    {
        X: _Weights((0.0, 1.8787594979546387), (0.0, 10.94906990605142)),
        Y: _Weights((176.39317598450694, 24.43300999870476), (0.0, 0.28520802612117757)),
        B: _Weights((0.0, 8.826982764996862), (0.0, 23.19243343998926)),
    },
    {
        X: _Weights(added=(0.9677937080626833, 0.9981766977854967)),
        Y: _Weights((0.0, 34.77906344483772), (0.0, 44.835625328877896)),
        B: _Weights(
            (95.1080498811086, 0.0), (0.9863978034400682, 171.2667255897307), (0.9834382792465353, 0.9807858872)
        ),
    },
)


@dataclass(frozen=True, slots=True)
class _Plane:
    """A plane of the original at one scale: its blur, its variance with a constant, and how smooth it is, up to 1."""

    plane: pyvips.Image
    mean: pyvips.Image
    variance: pyvips.Image
    smooth: pyvips.Image | None


class Judge:
    """Compares encoded pictures with ``picture``, which is 8-bit sRGB or grey, transparent or not.

    It keeps 20 bytes a pixel. Raises ValueError below 16 px a side.
    """

    def __init__(self, picture: pyvips.Image) -> None:
        if min(picture.width, picture.height) < LEAST_SIDE_PX:
            raise ValueError(f"A picture of {picture.width} × {picture.height} px is too small to be compared")
        self._size = picture.width, picture.height
        self._planes = [
            {at: _kept(plane, _WEIGHTS[scale][at]) for at, plane in planes.items()}
            for scale, planes in enumerate(_scales(picture))
        ]

    def score(self, body: bytes) -> float:
        """How like the picture the still that ``body`` encodes looks.

        Raises ValueError if it has another size.
        """
        worse = pyvips.Image.new_from_buffer(body, "")
        if (worse.width, worse.height) != self._size:
            raise ValueError(f"The picture is {worse.width} × {worse.height}, not {self._size}")
        unlike = 0.0
        for scale, planes in enumerate(_scales(worse)):
            for at, plane in planes.items():
                unlike += _weighed(self._planes[scale][at], plane, _WEIGHTS[scale][at])
        return on_scale(unlike)


def on_scale(unlike: float) -> float:
    """The weighted sum of features as a score: SSIMULACRA2's fit to what people said."""
    unlike *= 0.9562382616834844
    bent = 2.326765642916932 * unlike - 0.020884521182843837 * unlike**2 + 6.248496625763138e-05 * unlike**3
    return float(100.0 - 10.0 * bent**0.6276336467831387) if bent > 0 else 100.0


def _scales(picture: pyvips.Image) -> Iterator[dict[int, pyvips.Image]]:
    """The planes that are looked at, in memory: of the full size, half of it, and so on; halved in linear light."""
    light = _in_light(picture)
    for scale in range(_SCALES):
        if scale:
            light = light.shrink(2, 2, ceil=True).copy_memory()
        yield _opponents(light, _WEIGHTS[scale])


def _in_light(picture: pyvips.Image) -> pyvips.Image:
    if picture.hasalpha():
        picture = picture.flatten(background=_GREY)
    if picture.bands < 3:
        picture = picture[0].bandjoin([picture[0], picture[0]])
    return picture.maplut(_linear()).copy_memory()


def _opponents(light: pyvips.Image, wanted: Mapping[int, object]) -> dict[int, pyvips.Image]:
    cones = _ABSORBANCE if B in wanted else _ABSORBANCE[:2]
    roots = light.recomb([[_UNIT * weight for weight in row] for row in cones]).rint().cast("ushort").maplut(_roots())
    combined = {X: [7.0, -7.0, 0.0], Y: [0.5, 0.5, 0.0], B: [-0.5, -0.5, 1.0]}
    offset = {X: 0.42, Y: 0.01, B: 0.55}
    return {at: _held(roots.recomb([combined[at][: len(cones)]]) + offset[at]) for at in wanted}


def _kept(plane: pyvips.Image, weights: _Weights) -> _Plane:
    mean = _blurred(plane)
    smooth = _held(1 / (1 + (plane - mean).abs())) if weights.edges else None
    return _Plane(plane, mean, _held(_blurred(plane * plane) - mean * mean + _C2), smooth)


def _weighed(original: _Plane, plane: pyvips.Image, weights: _Weights) -> float:
    """The features of a plane, weighted and summed."""
    mean = _blurred(plane)
    maps, factors = [], []
    if any(weights.unlike):
        covariance = (_blurred(original.plane * plane) - original.mean * mean) * 2 + _C2
        variances = original.variance + _blurred(plane * plane) - mean * mean
        apart = original.mean - mean
        maps.append(_positive(1 - (1 - apart * apart) * covariance / variances))
        factors.append(weights.unlike)
    if original.smooth is not None:
        edges = _held((1 + (plane - mean).abs()) * original.smooth - 1)
        for norms, side in ((weights.added, edges), (weights.lost, edges * -1)):
            if any(norms):
                maps.append(_positive(side))
                factors.append(norms)
    return sum(
        by_mean * mean_of + by_norm * fourth**0.25
        for (by_mean, by_norm), (mean_of, fourth) in zip(factors, _moments(maps), strict=True)
    )


def _moments(maps: list[pyvips.Image]) -> list[tuple[float, float]]:
    """The means of each map and of its fourth power."""
    count = len(maps)
    held = _held(maps[0].bandjoin(maps[1:]))
    table = held.bandjoin(held * held).stats()
    pixels = held.width * held.height
    return [
        (table.getpoint(_MEAN, 1 + at)[0], table.getpoint(_SQUARES, 1 + count + at)[0] / pixels) for at in range(count)
    ]


_SQUARES, _MEAN = 3, 4
"""Columns of libvips' table of statistics, whose row 0 is about all bands together."""


def _positive(image: pyvips.Image) -> pyvips.Image:
    return (image + image.abs()) / 2


def _blurred(plane: pyvips.Image) -> pyvips.Image:
    """``plane`` blurred by 1.5 px, in black surroundings."""
    wide = plane.embed(_MARGIN_PX, _MARGIN_PX, plane.width + 2 * _MARGIN_PX, plane.height + 2 * _MARGIN_PX)
    blurred = wide.convsep([_KERNEL], precision="float")
    return _held(blurred.crop(_MARGIN_PX, _MARGIN_PX, plane.width, plane.height))


def _held(image: pyvips.Image) -> pyvips.Image:
    """``image`` in memory, since libvips makes anew for each reader what is not."""
    return image.copy_memory()


@cache
def _linear() -> pyvips.Image:
    """Linear light of 8-bit sRGB."""
    levels = [level / 255 for level in range(256)]
    light = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return pyvips.Image.new_from_array([light]).cast("float").copy_memory()


@cache
def _roots() -> pyvips.Image:
    """What the eye makes of an amount of light in units of 1/65,000."""
    biased = pyvips.Image.identity(ushort=True).cast("double") / _UNIT + _BIAS
    return ((biased ** (1 / 3)) - _BIAS ** (1 / 3)).cast("float").copy_memory()
