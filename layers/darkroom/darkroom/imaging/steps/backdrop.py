"""Put the picture itself behind what is transparent."""

from __future__ import annotations

import pyvips

from ...plan.geometry.layout import Size
from ..colour.convert import ensure_rgb, get_white_level, split_alpha
from ..work import Work
from .margins import begins
from .resize import scaled

SIGMA_PX = 50
"""Of the blur, in the finished picture: thumbor's ``fill(blur)``."""

ALL = "all"

COARSE = 8
"""By how much the picture is reduced to be blurred: so wide a blur has no finer detail."""


def lay_backdrop(work: Work) -> None:
    """Fill margins by the picture, covering all and blurred, or by its mean colour.

    The words that end in ``all`` fill what is transparent in the picture too. Each frame has its own blurred picture;
    one colour is that of the first frame.
    """
    left, top = begins(work)
    width, height = work.geometry.image_size
    fill_all = work.plan.backdrop.endswith(ALL)
    if not work.frames[0].hasalpha() or not (fill_all or _has_margins(work)):
        return
    first = ensure_rgb(work.frames[0].crop(left, top, width, height))
    colour = _mean(first)
    plain = work.plan.backdrop.removesuffix(ALL) == "auto"

    def over(frame: pyvips.Image) -> pyvips.Image:
        rich = ensure_rgb(frame)
        flat = _sheet(rich, colour)
        behind = (
            flat
            if plain
            else _blurred(
                _over(flat.crop(left, top, width, height), rich.crop(left, top, width, height)),
                Size(rich.width, rich.height),
            )
        )
        filled = _over(behind, rich)
        own = rich.crop(left, top, width, height)
        if fill_all or own[-1].min() == get_white_level(own):
            return filled
        return filled.addalpha().insert(own, left, top).copy(interpretation=rich.interpretation)

    work.each(over)


def _has_margins(work: Work) -> bool:
    return work.geometry.image_size != (work.frames[0].width, work.frames[0].height)


def _mean(picture: pyvips.Image) -> list[float]:
    """The mean colour of what can be seen; white where nothing can."""
    colour, alpha = split_alpha(picture)
    if alpha is None:
        return [colour[band].avg() for band in range(3)]
    seen = alpha.avg()
    white = float(get_white_level(picture))
    return [(colour[band] * alpha).avg() / seen for band in range(3)] if seen else [white] * 3


def _sheet(frame: pyvips.Image, colour: list[float]) -> pyvips.Image:
    return (frame.extract_band(0, n=3) * 0 + colour).rint().cast(frame.format).copy(interpretation=frame.interpretation)


def _over(sheet: pyvips.Image, picture: pyvips.Image) -> pyvips.Image:
    """``picture`` over an opaque ``sheet``, opaque."""
    both = sheet.composite2(picture, "over").rint().cast(picture.format).extract_band(0, n=3)
    return both.copy(interpretation=picture.interpretation)


def _blurred(picture: pyvips.Image, size: Size) -> pyvips.Image:
    """The middle of ``picture``, covering ``size``, out of focus."""
    small = Size(*(max(1, -(-side // COARSE)) for side in size))
    factor = max(small.width / picture.width, small.height / picture.height)
    cover = Size(max(small.width, round(picture.width * factor)), max(small.height, round(picture.height * factor)))
    coarse = scaled(picture, cover).crop((cover.width - small.width) // 2, (cover.height - small.height) // 2, *small)
    return scaled(coarse.copy_memory().gaussblur(SIGMA_PX / COARSE, min_ampl=0.02).copy_memory(), size)
