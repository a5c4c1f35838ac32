"""Even out contrast locally."""

from __future__ import annotations

import pyvips

from ...plan.geometry.layout import Size
from ..colour.convert import ensure_rgb, get_white_level, join_alpha, split_alpha
from ..work import Work
from .resize import scaled

WINDOWS_PER_SIDE = 8
MAX_SLOPE = 3
"""How much CLAHE may steepen contrast: 3 is the common choice of OpenCV's and libvips' users; more shows noise."""

DIRECT_PIXELS = 500_000
"""Above this, the transfer is learnt from a smaller copy: a sliding histogram takes a second for 3 MP."""


def equalise(work: Work) -> None:
    """Contrast-limited adaptive histogram equalisation (CLAHE) of CIE lightness, colour and alpha untouched."""
    if not work.plan.equalise:
        return
    work.each(_equalised)


def _equalised(frame: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    lab = ensure_rgb(colour).colourspace("lab")
    light = lab[0] * 2.55
    pixels = light.width * light.height
    if pixels <= DIRECT_PIXELS:
        even = _clahe(light)
    else:
        factor = (DIRECT_PIXELS / pixels) ** 0.5
        even = _learnt(light, Size(max(1, round(light.width * factor)), max(1, round(light.height * factor))))
    result = (even / 2.55).bandjoin(lab.extract_band(1, n=2)).copy(interpretation="lab")
    same = result.colourspace("rgb16" if get_white_level(frame) > 255 else "srgb")
    return join_alpha(same, alpha)


def _clahe(light: pyvips.Image) -> pyvips.Image:
    side = max(3, min(light.width, light.height) // WINDOWS_PER_SIDE)
    levels = light.rint().cast("uchar")
    even = levels.hist_local(min(side, levels.width), min(side, levels.height), max_slope=MAX_SLOPE)
    # What 8 bits rounded off is put back: smooth gradients must not become steps.
    return even.cast("float") + (light - levels)


def _learnt(light: pyvips.Image, size: Size) -> pyvips.Image:
    """CLAHE by a smaller copy: its local ``a × light + b`` (fast guided filter, He and Sun 2015) over the whole."""
    small = scaled(light, size).copy_memory()
    even = _clahe(small).copy_memory()
    side = 2 * (max(size) // 100) + 3
    box = pyvips.Image.new_from_array([[1] * side], scale=side)
    mean, target = small.convsep(box), even.convsep(box)
    variance = (small * small).convsep(box) - mean * mean
    slope = ((small * even).convsep(box) - mean * target) / (variance + 4.0)
    offset = (target - slope * mean).convsep(box)
    whole = Size(light.width, light.height)
    return scaled(slope.convsep(box), whole) * light + scaled(offset, whole)
