"""SSIMULACRA2 by libvips alone: the similarity of an encoded image to its original.

This is SSIMULACRA2 (``tools/ssimulacra2.cc`` of libjxl 0.11, Copyright the JPEG XL Project Authors, BSD-3-Clause) by 16
of its 108 features: those that make up more than 1 % of the sum in encoded images. What the others add is in the
weights. Over 103 images the deviation from the full metric is 0.4 (root mean square, ``bench/auto`` of commit
10e7c8d8). 100 is the same image, 90 is indistinguishable, 70 is high and 50 medium quality.

A call of libvips takes as long as a thousand pixels, and five scales are compared. So they lie below each other on two
sheets, each of which is compared at once: ``fine`` has full size to a quarter in lightness, ``coarse`` an eighth and a
sixteenth in colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import batched
from typing import NamedTuple

import pyvips

from ..colour.icc import decode_srgb_value

MIN_SIDE_PX = 16
"""Smaller images have no pixels left at the smallest scale."""

DIGITS = 6
"""Of a score. libvips' threads add up a sum in the order in which they finish, so that its last digits depend on the
load of the machine. AV1 has 64 quantisers: two qualities of 100 may give the same bytes, and those last digits would
decide which of them is nearer to a target, and with it where the search goes on."""

STRIP_PX = 32
MAX_WHOLE_PIXELS = 200_000
"""Above this, a third of the full size is compared: strips of 32 lines."""

COARSE_FROM = 3
"""The first scale of the coarse sheet."""

X, Y, B = range(3)
"""The planes: red against green, lightness, and blue against lightness."""

_C2 = 0.0009
_BIAS = 0.0037930732552754493
_LIGHTNESS = [[0.265, 0.657, 0.078]]
"""The mean of the cones for red and green, whose difference does not show in lightness."""
_ABSORBANCE = [
    [0.30, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
]
_OPPONENTS = [[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]]
_OFFSETS = [0.42, 0.01, 0.55]
_KERNEL = [0.00941437, 0.03601111, 0.10933537, 0.21292859, 0.26462111, 0.21292859, 0.10933537, 0.03601111, 0.00941437]
_HALF_KERNEL = [0.03125, 0.21875, 0.5, 0.21875, 0.03125]
"""With the mean of two by two pixels before it, as wide a blur as by ``_KERNEL``, of a quarter of the pixels."""
_MARGIN_PX = 4
"""Black around each scale, half of the kernel; even, so that pixels that are halved together are of one scale."""
_GREY = 128
_SUM, _SQUARES = 2, 3
"""Columns of libvips' table of statistics, whose row 0 covers all bands."""
_UNIT = 65_000
"""Light as a whole number below 65,536, with room for the bias: the roots come from a table."""

type _Weights = Mapping[tuple[int, int], float]
"""Weights of a feature by scale and plane."""


# Those of scales 0 to 2 and of red against green are fitted to SSIMULACRA2's score (least squares, 264 encodes of 66
# images in three formats), because they stand for what is not compared. SSIMULACRA2 has 7.47, 6.68, 19.2 and 1.88 for
# dissimilarity, 225.2 for its mean, 17.4 for lost and 10.9 for added detail. The others are its own.
_UNLIKE_MEANS: _Weights = {(2, Y): 218.9, (3, Y): 176.39317598450694, (4, B): 95.1080498811086}
_UNLIKE_NORMS: _Weights = {
    (0, Y): 7.03,
    (1, Y): 11.01,
    (2, Y): 18.58,
    (3, X): 6.00,
    (3, Y): 24.43300999870476,
    (3, B): 8.826982764996862,
    (4, Y): 34.77906344483772,
}
_LOST_NORMS: _Weights = {(0, Y): 22.56, (1, Y): 1.027889937768264}
_ADDED_NORMS: _Weights = {
    (3, X): 62.7,
    (3, B): 23.19243343998926,
    (4, Y): 44.835625328877896,
    (4, B): 171.2667255897307,
}


class _Box(NamedTuple):
    """Where the samples of a scale lie on its sheet."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Scales of the original, one below the other.

    ``planes`` has a band for each plane. The others are sampled, at every second pixel where ``halved``: the blur, the
    variance, and how smooth the planes are, up to 1.
    """

    planes: pyvips.Image
    halved: bool
    boxes: Sequence[_Box]
    mean: pyvips.Image
    variance: pyvips.Image
    smooth: pyvips.Image

    def compare(self, planes: pyvips.Image) -> tuple[pyvips.Image, pyvips.Image]:
        """Return how unlike the pixels are, and how much more (or, below 0, less) detail ``planes`` have."""
        apart = planes - self.planes
        mean_apart, square_apart, square = _blur([apart, apart * apart, planes * planes], halved=self.halved)
        mean = self.mean + mean_apart
        square_mean_apart = mean_apart * mean_apart
        unlike = (square_apart - square_mean_apart) / (square - mean * mean + self.variance) + square_mean_apart
        sampled = planes.subsample(2, 2) if self.halved else planes
        return unlike, ((sampled - mean).abs() + 1) * self.smooth - 1

    def find_moments(self, maps: pyvips.Image) -> Iterator[tuple[list[float], list[float]]]:
        """Yield the means of each band of ``maps``, and their 4-norms, by scale."""
        held = maps.copy_memory()
        held = held.bandjoin(held * held).copy_memory()
        for box in self.boxes:
            table = held.crop(*box).stats()
            _, *rows = batched(memoryview(table.write_to_memory()).cast("d"), table.width, strict=True)
            pixels, firsts, squares = box.width * box.height, rows[: maps.bands], rows[maps.bands :]
            yield [row[_SUM] / pixels for row in firsts], [(row[_SQUARES] / pixels) ** 0.25 for row in squares]


class Comparator:
    """Compares encoded images with ``image``, which is 8-bit sRGB or grey, transparent or not.

    It holds 12 bytes a pixel. Raises ValueError below 16 px a side.
    """

    def __init__(self, image: pyvips.Image) -> None:
        if min(image.width, image.height) < MIN_SIDE_PX:
            raise ValueError(f"An image of {image.width} × {image.height} px is too small to be compared")
        self._size = image.width, image.height
        fine, coarse = _split(image)
        self._offsets = (_stack([pyvips.Image.black(one.width, one.height) + 1 for one in coarse]) * _OFFSETS).cast(
            "float"
        )
        self._fine = _prepare_sheet(_to_lightness(fine), fine, halved=True)
        self._coarse = _prepare_sheet(_to_opponent_planes(coarse, self._offsets), coarse, halved=False)

    def score(self, body: bytes) -> float:
        """Return the score of the still that ``body`` encodes, the same for each call.

        Raises ValueError if it has another size.
        """
        worse = pyvips.Image.new_from_buffer(body, "")
        if (worse.width, worse.height) != self._size:
            raise ValueError(f"The image is {worse.width} × {worse.height}, not {self._size}")
        fine, coarse = _split(worse)
        unlike = self._compare_fine(_to_lightness(fine))
        return round(to_score(unlike + self._compare_coarse(_to_opponent_planes(coarse, self._offsets))), DIGITS)

    def _compare_fine(self, planes: pyvips.Image) -> float:
        unlike, edges = self._fine.compare(planes)
        total = 0.0
        for scale, (means, norms) in enumerate(self._fine.find_moments(unlike.bandjoin(edges.abs() - edges))):
            where = scale, Y
            total += _UNLIKE_MEANS.get(where, 0.0) * means[0] + _UNLIKE_NORMS[where] * norms[0]
            total += _LOST_NORMS.get(where, 0.0) * norms[1] / 2
        return total

    def _compare_coarse(self, planes: pyvips.Image) -> float:
        unlike, edges = self._coarse.compare(planes)
        total = 0.0
        moments = self._coarse.find_moments(unlike.bandjoin(edges.abs() + edges))
        for scale, (means, norms) in enumerate(moments, start=COARSE_FROM):
            for plane in (X, Y, B):
                where = scale, plane
                total += _UNLIKE_MEANS.get(where, 0.0) * means[plane]
                total += _UNLIKE_NORMS.get(where, 0.0) * norms[plane]
                total += _ADDED_NORMS.get(where, 0.0) * norms[plane + 3] / 2
        return total


def to_score(unlike: float) -> float:
    """Convert the weighted sum of features to a score: SSIMULACRA2's fit to ratings."""
    unlike *= 0.9562382616834844
    bent = 2.326765642916932 * unlike - 0.020884521182843837 * unlike**2 + 6.248496625763138e-05 * unlike**3
    return float(100.0 - 10.0 * bent**0.6276336467831387) if bent > 0 else 100.0


def _to_linear_light(image: pyvips.Image) -> pyvips.Image:
    if image.hasalpha():
        image = image.flatten(background=_GREY)
    if image.bands < 3:
        image = image[0].bandjoin([image[0], image[0]])
    return image.maplut(_linear_table()).copy_memory()


def _split(image: pyvips.Image) -> tuple[list[pyvips.Image], list[pyvips.Image]]:
    """Return linear light in the scales of the fine and of the coarse sheet. Sizes are halved in linear light."""
    scales = [_to_linear_light(image)]
    for _ in range(4):
        scales.append(scales[-1].shrink(2, 2, ceil=True).copy_memory())
    return [_sample_strips(scales[0]), *scales[1:COARSE_FROM]], scales[COARSE_FROM:]


def _sample_strips(light: pyvips.Image) -> pyvips.Image:
    """Return a third of ``light`` if it is large: strips of whole lines, one below the other."""
    tops = range(STRIP_PX, light.height - STRIP_PX + 1, 3 * STRIP_PX)
    if light.width * light.height <= MAX_WHOLE_PIXELS or not tops:
        return light
    return pyvips.Image.arrayjoin([light.crop(0, top, light.width, STRIP_PX) for top in tops], across=1)


def _to_lightness(scales: Sequence[pyvips.Image]) -> pyvips.Image:
    """Return the sheet of ``scales``, in linear light, as lightness."""
    return _to_roots(_stack(scales).recomb(_LIGHTNESS)).copy_memory()


def _to_opponent_planes(scales: Sequence[pyvips.Image], offsets: pyvips.Image) -> pyvips.Image:
    """Return the sheet of ``scales``, in linear light, as all planes."""
    return (_to_roots(_stack(scales).recomb(_ABSORBANCE)).recomb(_OPPONENTS) + offsets).copy_memory()


def _to_roots(cones: pyvips.Image) -> pyvips.Image:
    return cones.linear(_UNIT, 0.5).cast("ushort").maplut(_root_table())


def _stack(scales: Sequence[pyvips.Image]) -> pyvips.Image:
    """Return ``scales``, the first of which is the widest, one below the other with black around each."""
    boxes = _place(scales)
    width_px, height_px = boxes[0].width + 2 * _MARGIN_PX, boxes[-1].top + boxes[-1].height + _MARGIN_PX
    sheet = scales[0].embed(_MARGIN_PX, _MARGIN_PX, width_px + width_px % 2, height_px + height_px % 2)
    for image, box in zip(scales[1:], boxes[1:], strict=True):
        sheet = sheet.insert(image, box.left, box.top)
    return sheet


def _place(scales: Sequence[pyvips.Image]) -> list[_Box]:
    """Return where the scales lie on their sheet, at even coordinates."""
    boxes: list[_Box] = []
    top = _MARGIN_PX
    for image in scales:
        boxes.append(_Box(_MARGIN_PX, top, image.width, image.height))
        top += image.height + image.height % 2 + _MARGIN_PX
    return boxes


def _prepare_sheet(planes: pyvips.Image, scales: Sequence[pyvips.Image], *, halved: bool) -> _Sheet:
    """Return the original's sheet of ``planes``, on which ``scales`` lie."""
    boxes = _place(scales)
    if halved:
        boxes = [_Box(left // 2, top // 2, (wide + 1) // 2, (high + 1) // 2) for left, top, wide, high in boxes]
    mean, square = _blur([planes, planes * planes], halved=halved)
    sampled = planes.subsample(2, 2) if halved else planes
    smooth = (1 / ((sampled - mean).abs() + 1)).copy_memory()
    return _Sheet(planes, halved, boxes, mean, (square - mean * mean + _C2).copy_memory(), smooth)


def _blur(images: Sequence[pyvips.Image], *, halved: bool) -> list[pyvips.Image]:
    """Blur ``images``, of one size and number of bands, by 1.5 px; ``halved``: return every second pixel."""
    joined, bands = images[0].bandjoin(images[1:]), images[0].bands
    joined, kernel = (joined.shrink(2, 2), _HALF_KERNEL) if halved else (joined, _KERNEL)
    held = joined.convsep([kernel], precision="float").copy_memory()
    return [held.extract_band(at * bands, n=bands) for at in range(len(images))]


@cache
def _linear_table() -> pyvips.Image:
    """Return linear light by level of 8-bit sRGB."""
    light = [decode_srgb_value(level / 255) for level in range(256)]
    return pyvips.Image.new_from_array([light]).cast("float").copy_memory()


@cache
def _root_table() -> pyvips.Image:
    """Return the perceived value of an amount of light in units of 1/65,000."""
    biased = pyvips.Image.identity(ushort=True).cast("double") / _UNIT + _BIAS
    return ((biased ** (1 / 3)) - _BIAS ** (1 / 3)).cast("float").copy_memory()
