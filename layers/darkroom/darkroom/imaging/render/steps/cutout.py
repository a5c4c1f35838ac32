"""Cut out the foreground by the raster of a finding: transparent background, clean edges.

A raster has at most 1,024 px and soft edges. Around an edge, the mean colours of both sides are known from the pixels
that the raster is certain of. The coverage of a pixel is where its colour lies between them: the matting equation
(Porter and Duff, 1984) solved for one pixel. The colour of the foreground alone, without the background that shines
through, is that of blur fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import pyvips

from ....errors import FindingsPending, Unanalysable
from ....findings import CUTOUT
from ....plan.geometry.layout import Box, Geometry, Size
from ...colour.convert import PEAK_8_BIT, get_white_level, split_alpha
from ..context import RenderContext

SIGMA_PX = 3.0
"""Sigma over which the colours of a side are averaged, in px of the raster. With shapes drawn over photographs, the
mean error of coverage at edges is 2 to 7 % at 2.4 times the size of the raster, where the raster's is 19 %; that of
single hairs is 5 to 11 %, where the raster's is 23 %."""

CERTAIN = 0.02
"""Distance of a coverage from 1 up to which a pixel keeps its colour."""

UNCERTAIN = 8.0
"""Colours decide alone where the raster has coverages of 0.15 to 0.85, and not at all where it is certain."""

CERTAINTY = 3
"""Exponent of the coverage as a weight in averages: mixed pixels count little."""

_LEAST = 1e-3
"""Least weight of an average: below, there are no pixels of that side."""

_ALIKE = 0.01
"""Squared distance of two colours, of 0 to 1 in each band, at which colour and raster count equally where both sides
are plain."""

VARIED = 4.0
"""Weight of the variance of both sides beside their squared distance, where the raster is sure of the foreground: a
colour says nothing where the foreground has that of the background too, as glass does (Fisher's discriminant ratio).
Where the raster is unsure, as at hair, colours decide."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Mean colours of foreground and background around each pixel, of 0 to 1, and the sum of their variances."""

    front: pyvips.Image
    back: pyvips.Image
    variance: pyvips.Image


def cut_out(context: RenderContext) -> None:
    """Make the background of the image transparent; until the finding exists the image stays as it is.

    Raises FindingsPending for an image that was analysed without a cut-out, Unanalysable if the model could not read
    it.
    """
    mask = load_mask(context)
    if mask is None:
        return
    context.copy_to_memory()
    context.map_frames(lambda frame: _cut_frame(frame, mask, context.geometry))


def load_mask(context: RenderContext) -> pyvips.Image | None:
    """Return the raster of the cut-out, decoded once, None until there is one. Raises what :func:`cut_out` raises."""
    if context.raster is not None:
        return context.raster
    findings = context.findings
    finding = findings.found.get(CUTOUT) if findings else None
    if finding is None:
        if findings is None or findings.is_awaited(CUTOUT):
            return None
        raise FindingsPending("This image was analysed without a cut-out", detail=CUTOUT)
    if finding.error:
        raise Unanalysable(detail=f"{CUTOUT}: {finding.error}")
    context.raster = pyvips.Image.new_from_buffer(finding.raster, "").extract_band(0).copy_memory()
    return context.raster


def find_content(mask: pyvips.Image, geometry: Geometry, threshold: float) -> Box:
    """Return the box of the foreground in the upright image's region that is kept; without sides if there is none."""
    left, top, width, height = mask.find_trim(threshold=threshold, background=[0], line_art=True)
    across, down = geometry.upright.width / mask.width, geometry.upright.height / mask.height
    region = geometry.search_area or geometry.subject
    first_x, first_y = max(region.left, floor(left * across)), max(region.top, floor(top * down))
    last_x = min(region.left + region.width, ceil((left + width) * across))
    last_y = min(region.top + region.height, ceil((top + height) * down))
    if not width or last_x <= first_x or last_y <= first_y:
        return Box(0, 0, 0, 0)
    return Box(first_x, first_y, last_x - first_x, last_y - first_y)


def _cut_frame(frame: pyvips.Image, mask: pyvips.Image, geometry: Geometry) -> pyvips.Image:
    white, whole = get_white_level(frame), Size(frame.width, frame.height)
    colour, shown = split_alpha(frame)
    size = _choose_size(whole, mask, geometry)
    coarse = (_map_to_frame(mask, geometry, size) / PEAK_8_BIT).copy_memory()
    value, small = colour / white, (_resize(colour, size) / white).copy_memory()
    sides = _average_sides(small, coarse, SIGMA_PX * min(1.0, size.width / _count_columns(mask, geometry)))
    alpha = _follow_edges(value, coarse, sides)
    front, back = (_resize(side, whole) for side in (sides.front, sides.back))
    clean = (front + (value - front * alpha - back * (1 - alpha)) * alpha).clamp(min=0, max=1)
    clean = (alpha > 1 - CERTAIN).ifthenelse(value, clean)
    visible = alpha if shown is None else alpha * (shown / white)
    joined = (clean.bandjoin(visible) * white).rint().cast(frame.format)
    return joined.copy(interpretation=frame.interpretation)


def _follow_edges(value: pyvips.Image, coarse: pyvips.Image, sides: Sides) -> pyvips.Image:
    """Return the coverage of each pixel of ``value``; ``coarse`` and ``sides`` have the size of the raster.

    It is the projection of a pixel's colour on the line between the colours of both sides, where these differ and the
    raster is uncertain.
    """
    front, back = sides.front, sides.back
    whole, line = Size(value.width, value.height), front - back
    length = (line * line).bandmean() * line.bands
    slope = line / (length + _LEAST**2)
    offset = (back * slope).bandmean() * -line.bands
    noise = (2 * coarse - 1).clamp(min=0) ** 2 * VARIED * sides.variance
    near = (coarse * (1 - coarse) * UNCERTAIN).clamp(max=1) * (length / (length + _ALIKE + noise))
    slope, offset, near = (_resize(part.copy_memory(), whole) for part in (slope, offset, near))
    found = ((value * slope).bandmean() * line.bands + offset).clamp(min=0, max=1)
    return (found * near + _resize(coarse, whole) * (1 - near)).clamp(min=0, max=1).copy_memory()


def _choose_size(frame: Size, mask: pyvips.Image, geometry: Geometry) -> Size:
    """Return the size of the raster's part that ``frame`` shows, at most that of ``frame``."""
    down = geometry.subject.height / geometry.scaled.height * mask.height / geometry.upright.height
    width, height = min(frame.width, round(_count_columns(mask, geometry))), round(frame.height * min(down, 1))
    return Size(max(1, width), max(1, height))


def _count_columns(mask: pyvips.Image, geometry: Geometry) -> float:
    """Return how many columns of the raster the result shows."""
    share = geometry.cropped_size.width / geometry.scaled.width
    return max(1.0, share * geometry.subject.width * int(mask.width) / geometry.upright.width)


def _map_to_frame(mask: pyvips.Image, geometry: Geometry, size: Size) -> pyvips.Image:
    """Return the part of ``mask`` that the result's crop and window keep, resampled to ``size``."""
    window, subject = geometry.window or Box(0, 0, *geometry.scaled), geometry.subject
    across, down = subject.width / geometry.scaled.width, subject.height / geometry.scaled.height
    wide, high = mask.width / geometry.upright.width, mask.height / geometry.upright.height
    left, top = (subject.left + window.left * across) * wide, (subject.top + window.top * down) * high
    step_x, step_y = window.width * across * wide / size.width, window.height * down * high / size.height
    if step_x > 1 or step_y > 1:  # bilinear samples would skip pixels
        mask = mask.gaussblur(max(step_x, step_y) / 2)
    return mask.affine(
        [1 / step_x, 0, 0, 1 / step_y],
        interpolate=pyvips.Interpolate.new("bilinear"),
        oarea=[0, 0, *size],
        idx=0.5 - left,
        idy=0.5 - top,
        odx=-0.5,
        ody=-0.5,
        extend="copy",
    )


def _average_sides(colour: pyvips.Image, coarse: pyvips.Image, sigma_px: float) -> Sides:
    """Return the colours of foreground and background around each pixel."""
    mean = colour.gaussblur(sigma_px)
    averages, variances = [], []
    for weight in (coarse**CERTAINTY, (1 - coarse) ** CERTAINTY):
        share = weight.gaussblur(sigma_px)
        average = (colour * weight).gaussblur(sigma_px) / (share + _LEAST)
        square = (colour * colour * weight).gaussblur(sigma_px) / (share + _LEAST)
        variances.append((square - average * average).clamp(min=0, max=1).bandmean() * colour.bands)
        averages.append((share > _LEAST).ifthenelse(average, mean).clamp(min=0, max=1).copy_memory())
    return Sides(averages[0], averages[1], (variances[0] + variances[1]).copy_memory())


def _resize(image: pyvips.Image, size: Size) -> pyvips.Image:
    if (image.width, image.height) == size:
        return image
    return image.resize(size.width / image.width, vscale=size.height / image.height, kernel="linear")
