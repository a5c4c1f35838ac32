"""SSIMULACRA2 by libvips alone: the similarity of an encoded image to its original.

This is SSIMULACRA2 (``tools/ssimulacra2.cc`` of libjxl 0.11, Copyright the JPEG XL Project Authors, BSD-3-Clause)
without what has no weight: of 108 features it has the 26 whose weights are above 0.2, so that only lightness is
compared in full size, two planes at half of it, and nothing below a sixteenth. ``docs/explanation/performance.md`` has
the deviation from the full metric. 100 is the same image, 90 is indistinguishable, 70 is high and 50 medium quality.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import batched

import pyvips

MIN_SIDE_PX = 16
"""Smaller images have no pixels left at the smallest scale."""

DIGITS = 6
"""Of a score. libvips' threads add up a sum in the order in which they finish, so that its last digits depend on the
load of the machine. AV1 has 64 quantisers: two qualities of 100 may give the same bytes, and those last digits would
decide which of them is nearer to a target, and with it where the search goes on."""

STRIP_PX = 64
MAX_WHOLE_PIXELS = 200_000
"""Above this, a third of the full size is compared: strips of 64 lines."""

X, Y, B = range(3)
"""The planes: red against green, lightness, and blue against lightness."""

_C2 = 0.0009
_BIAS = 0.0037930732552754493
_ABSORBANCE = [
    [0.30, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
]
_OPPONENTS = {X: [7.0, -7.0, 0.0], Y: [0.5, 0.5, 0.0], B: [-0.5, -0.5, 1.0]}
_OFFSETS = {X: 0.42, Y: 0.01, B: 0.55}
_KERNEL = [0.00941437, 0.03601111, 0.10933537, 0.21292859, 0.26462111, 0.21292859, 0.10933537, 0.03601111, 0.00941437]
_MARGIN_PX = len(_KERNEL) // 2
_GREY = 128
_SUM, _SQUARES = 2, 3
"""Columns of libvips' table of statistics, whose row 0 covers all bands."""
_UNIT = 65_000
"""Light as a whole number below 65,536, with room for the bias: the roots come from a table."""


type _Norms = tuple[float, float]
"""Weights of a feature's mean and of its 4-norm."""
_NOTHING: _Norms = (0.0, 0.0)

_WEIGHTS: tuple[Mapping[int, tuple[_Norms, _Norms, _Norms]], ...] = (
    {Y: ((0.0, 7.466890328078848), _NOTHING, (0.0, 17.445833984131262))},
    {
        X: ((0.0, 1.1041726426657346), _NOTHING, _NOTHING),
        Y: ((0.0, 6.683678146179332), _NOTHING, (0.0, 1.027889937768264)),
    },
    {
        X: ((0.0, 1.8422455520539298), (0.0, 11.441172603757666), _NOTHING),
        Y: ((225.20515300849274, 19.213238186143016), _NOTHING, _NOTHING),
    },
    {
        X: ((0.0, 1.8787594979546387), (0.0, 10.94906990605142), _NOTHING),
        Y: ((176.39317598450694, 24.43300999870476), (0.0, 0.28520802612117757), _NOTHING),
        B: ((0.0, 8.826982764996862), (0.0, 23.19243343998926), _NOTHING),
    },
    {
        X: (_NOTHING, (0.9677937080626833, 0.9981766977854967), _NOTHING),
        Y: ((0.0, 34.77906344483772), (0.0, 44.835625328877896), _NOTHING),
        B: ((95.1080498811086, 0.0), (0.9863978034400682, 171.2667255897307), (0.98343827924653, 0.98078588724353)),
    },
)
"""By scale and plane: of dissimilarity, of added and of lost detail."""


@dataclass(frozen=True, slots=True)
class _Original:
    """The original at one scale, its planes as bands: their blur, their variance, and how smooth they are, up to 1."""

    planes: pyvips.Image
    mean: pyvips.Image
    variance: pyvips.Image
    smooth: pyvips.Image


class Comparator:
    """Compares encoded images with ``image``, which is 8-bit sRGB or grey, transparent or not.

    It holds 20 bytes a pixel. Raises ValueError below 16 px a side.
    """

    def __init__(self, image: pyvips.Image) -> None:
        if min(image.width, image.height) < MIN_SIDE_PX:
            raise ValueError(f"An image of {image.width} × {image.height} px is too small to be compared")
        self._size = image.width, image.height
        self._originals = [_prepare_original(planes) for planes in _iter_scales(image)]

    def score(self, body: bytes) -> float:
        """Return the score of the still that ``body`` encodes, the same for each call.

        Raises ValueError if it has another size.
        """
        worse = pyvips.Image.new_from_buffer(body, "")
        if (worse.width, worse.height) != self._size:
            raise ValueError(f"The image is {worse.width} × {worse.height}, not {self._size}")
        features = map(_sum_features, self._originals, _iter_scales(worse), _WEIGHTS)
        return round(to_score(sum(features)), DIGITS)


def to_score(unlike: float) -> float:
    """Convert the weighted sum of features to a score: SSIMULACRA2's fit to ratings."""
    unlike *= 0.9562382616834844
    bent = 2.326765642916932 * unlike - 0.020884521182843837 * unlike**2 + 6.248496625763138e-05 * unlike**3
    return float(100.0 - 10.0 * bent**0.6276336467831387) if bent > 0 else 100.0


def _iter_scales(image: pyvips.Image) -> Iterator[pyvips.Image]:
    """Yield the compared planes in full size, half of it, and so on; halved in linear light."""
    light = _to_linear_light(image)
    for scale, wanted in enumerate(_WEIGHTS):
        if scale:
            light = light.shrink(2, 2, ceil=True).copy_memory()
        yield _to_opponent_planes(light if scale else _sample_strips(light), list(wanted))


def _sample_strips(light: pyvips.Image) -> pyvips.Image:
    """Return a third of ``light`` if it is large: strips of whole lines, one below the other."""
    tops = range(STRIP_PX, light.height - STRIP_PX + 1, 3 * STRIP_PX)
    if light.width * light.height <= MAX_WHOLE_PIXELS or not tops:
        return light
    return pyvips.Image.arrayjoin([light.crop(0, top, light.width, STRIP_PX) for top in tops], across=1)


def _to_linear_light(image: pyvips.Image) -> pyvips.Image:
    if image.hasalpha():
        image = image.flatten(background=_GREY)
    if image.bands < 3:
        image = image[0].bandjoin([image[0], image[0]])
    return image.maplut(_linear_table()).copy_memory()


def _to_opponent_planes(light: pyvips.Image, wanted: list[int]) -> pyvips.Image:
    cones = _ABSORBANCE if B in wanted else _ABSORBANCE[:2]
    roots = light.recomb(cones).linear(_UNIT, 0.5).cast("ushort").maplut(_root_table())
    mixed = roots.recomb([_OPPONENTS[plane][: len(cones)] for plane in wanted])
    return (mixed + [_OFFSETS[plane] for plane in wanted]).copy_memory()


def _prepare_original(planes: pyvips.Image) -> _Original:
    mean, square = _blur([planes, planes * planes])
    variance = (square - mean * mean + _C2).copy_memory()
    smooth = (1 / ((planes - mean).abs() + 1)).copy_memory()
    return _Original(planes, mean, variance, smooth)


def _sum_features(
    original: _Original, planes: pyvips.Image, weights: Mapping[int, tuple[_Norms, _Norms, _Norms]]
) -> float:
    """Return the weighted sum of the features of one scale."""
    mean, square, product = _blur([planes, planes * planes, planes * original.planes])
    covariance = product - mean * original.mean
    variances = square - mean * mean + original.variance
    apart = original.mean - mean
    unlike = ((apart * apart).linear(-1, 1) * covariance.linear(2, _C2) / variances).linear(-1, 1)
    edges = ((planes - mean).abs() + 1) * original.smooth - 1
    size = edges.abs()
    moments = _moments(unlike.bandjoin([size + edges, size - edges]))
    unlike_norms, *edge_norms = zip(*weights.values(), strict=True)
    halved = [(by_mean / 2, by_norm / 2) for feature in edge_norms for by_mean, by_norm in feature]
    return float(
        sum(
            by_mean * mean + by_norm * fourth**0.25
            for (by_mean, by_norm), (mean, fourth) in zip([*unlike_norms, *halved], moments, strict=True)
        )
    )


def _moments(maps: pyvips.Image) -> list[tuple[float, float]]:
    """Return the means of each band of ``maps`` and of its fourth power."""
    held = maps.copy_memory()
    table = held.bandjoin(held * held).stats()
    _, *rows = batched(memoryview(table.write_to_memory()).cast("d"), table.width, strict=True)
    pixels, firsts, squares = held.width * held.height, rows[: held.bands], rows[held.bands :]
    return [(row[_SUM] / pixels, square[_SQUARES] / pixels) for row, square in zip(firsts, squares, strict=True)]


def _blur(images: list[pyvips.Image]) -> list[pyvips.Image]:
    """Blur ``images``, of one size and number of bands, by 1.5 px in black surroundings."""
    first = images[0]
    wide_px, high_px = first.width + 2 * _MARGIN_PX, first.height + 2 * _MARGIN_PX
    wide = first.bandjoin(images[1:]).embed(_MARGIN_PX, _MARGIN_PX, wide_px, high_px)
    blurred = wide.convsep([_KERNEL], precision="float").crop(_MARGIN_PX, _MARGIN_PX, first.width, first.height)
    held = blurred.copy_memory()
    return [held.extract_band(at * first.bands, n=first.bands) for at in range(len(images))]


@cache
def _linear_table() -> pyvips.Image:
    """Return linear light by level of 8-bit sRGB."""
    levels = [level / 255 for level in range(256)]
    light = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return pyvips.Image.new_from_array([light]).cast("float").copy_memory()


@cache
def _root_table() -> pyvips.Image:
    """Return the perceived value of an amount of light in units of 1/65,000."""
    biased = pyvips.Image.identity(ushort=True).cast("double") / _UNIT + _BIAS
    return ((biased ** (1 / 3)) - _BIAS ** (1 / 3)).cast("float").copy_memory()
