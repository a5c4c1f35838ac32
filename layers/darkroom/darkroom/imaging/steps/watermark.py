"""Lay the watermark over the picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyvips

from ...errors import DarkroomError
from ...plan.geometry.layout import FREE_SPACE_SHARES, Box, Geometry, Size
from ...plan.geometry.placement import EvenCentring
from ...plan.limits import Limits
from ...plan.model import Stamp, Watermark
from ..colour.convert import ensure_rgb, to_eight_bits, to_srgb
from ..formats.load import get_loaded_size, load
from ..formats.probe import probe
from ..source import Source
from ..work import Work
from .orient import upright
from .resize import scaled

MARGIN = 0.02
"""Distance from the picture's edge, as a part of its shorter side."""

LIMITS = Limits(max_bytes=10 * 1024 * 1024, max_pixels=50_000_000, max_frames=500)


def stamp(work: Work) -> None:
    """Composite the watermark: ``scale`` percent of the picture's width wide, as high as its shape makes it.

    It is made smaller where it would not fit into the picture's height, so that any shape works on any picture. A
    plan's ``stamp`` says otherwise where it stands and how large it is. One that is a frame is :mod:`.frame`'s. Raises
    DarkroomError (our fault, not the viewer's) where the configured watermark is no picture.
    """
    wanted = work.plan.watermark
    if wanted is not None and not (work.plan.framed or work.plan.mark_last):
        lay(work, work.watermark, wanted, work.plan.stamp, work.plan.repeat)


def lay(work: Work, data: bytes | None, wanted: Watermark, where: Stamp | None, axes: str) -> None:
    """Composite the watermark ``wanted``, whose file is ``data``, at ``where``, repeated along ``axes``."""
    if data is None:
        raise DarkroomError(detail=f"no bytes for the watermark {wanted.name!r}")
    picture = Size(work.frames[0].width, work.frames[0].height)
    if where is None:
        place = partial(_place, wanted=wanted, picture=picture)
    else:
        from . import stamping  # only other URL languages have it

        where = stamping.multiply_offsets(where, work.geometry.ratio)
        even = EvenCentring() if work.plan.even_centre else None
        place = partial(stamping.place, position=wanted.position, stamp=where, picture=picture, even=even)
    mark, box = prepared(data, wanted, place)
    if axes:
        mark, box = stamping.repeated(mark, box, axes, picture)
    elif where is not None:
        mark, box = stamping.visible(mark, box, where, picture)
    work.each(lambda frame: _stamped(frame, mark, box))


def prepared(data: bytes, wanted: Watermark, place: Callable[[Size], Box]) -> tuple[pyvips.Image, Box]:
    """The watermark as 8-bit sRGB with alpha in memory, and the place in the picture that its own size gives it."""
    source = Source.from_bytes(data)
    try:
        header = probe(source, LIMITS, animated=False)
        stored, orientation = get_loaded_size(header)
        own = stored.transposed if orientation >= 5 else stored
        box = place(own)
        whole = Geometry(stored, orientation, Box(0, 0, *own), box.size)
        frame = load(source, header, whole, LIMITS).frames[0]
        mark = upright(scaled(frame, whole.stored_scaled).copy_memory(), orientation)
        mark = to_eight_bits(ensure_rgb(to_srgb(mark)))
        if not mark.hasalpha():
            mark = mark.addalpha()
        return (mark * [1, 1, 1, wanted.opacity / 100]).cast("uchar").copy(interpretation="srgb").copy_memory(), box
    except DarkroomError as error:
        raise DarkroomError(detail=f"the watermark {wanted.name!r} cannot be used: {error!r} {error.detail}") from error


def _place(own: Size, wanted: Watermark, picture: Size) -> Box:
    margin = round(min(picture) * MARGIN)
    room = Size(picture.width - 2 * margin, picture.height - 2 * margin)
    factor = min(picture.width * wanted.scale / 100 / own.width, room.width / own.width, room.height / own.height)
    size = Size(*(max(1, round(side * factor)) for side in own))
    x, y = FREE_SPACE_SHARES[wanted.position]
    left = margin + round((room.width - size.width) * x)
    top = margin + round((room.height - size.height) * y)
    return Box(left, top, *size)


def _stamped(frame: pyvips.Image, mark: pyvips.Image, box: Box) -> pyvips.Image:
    frame = to_eight_bits(ensure_rgb(frame))
    under = frame.crop(*box)
    over = under.composite2(mark, "over").rint().cast("uchar")
    return frame.insert(over if frame.hasalpha() else over.extract_band(0, n=3), box.left, box.top)
