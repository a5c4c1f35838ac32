"""The last decision: which type a finished picture becomes, and that it is never larger than its source."""

from __future__ import annotations

from dataclasses import dataclass

from .encoding import Sheet, encode, encode_below, encode_lossless, is_drawing
from .formats import FORMS, Form
from .header import Header
from .source import Source
from .work import Work

DRAWN = ("png", "gif", "svg", "tiff")
"""Sources that may be drawings. A JPEG of a drawing is no longer flat."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """For drawings: the lossless type that is taken where it is no larger than the lossy one."""

    lossless: Form
    lossy: Form


RIVALS: dict[str, Rivals] = {
    "webp": Rivals(FORMS["webp"], FORMS["webp"]),
    "auto-webp": Rivals(FORMS["webp"], FORMS["webp"]),
    "auto-avif": Rivals(FORMS["webp"], FORMS["webp"]),
    "auto-legacy": Rivals(FORMS["png"], FORMS["jpeg"]),
    "auto": Rivals(FORMS["png"], FORMS["jpeg"]),
}
"""By the plan's format. AVIF is compared by WebP's size, which is known in a tenth of the time."""


def printed(work: Work, source: Source, header: Header) -> tuple[Form, bytes]:
    """The finished picture's type and bytes."""
    sheet = Sheet.of(work.frames, work.delays_ms, work.loop)
    form, body = _encoded(work, sheet, header)
    return form, _no_larger(work, sheet, form, body, source, header)


def _encoded(work: Work, sheet: Sheet, header: Header) -> tuple[Form, bytes]:
    transparent, frames = sheet.image.hasalpha(), len(work.frames)
    form = work.target.pick(transparent=transparent, frames=frames, pixels=sheet.pixels)
    if frames > 1 or work.streams or header.format not in DRAWN or not is_drawing(sheet.image):
        return form, encode(sheet, form, work.plan.quality)
    if form.name == "png":
        return form, encode_lossless(sheet, form)
    rivals = RIVALS.get(work.plan.format)
    if rivals is None:
        return form, encode(sheet, form, work.plan.quality)
    lossless, lossy = encode_lossless(sheet, rivals.lossless), encode(sheet, rivals.lossy, work.plan.quality)
    if len(lossless) <= len(lossy):
        return rivals.lossless, lossless
    return (form, lossy) if form == rivals.lossy else (form, encode(sheet, form, work.plan.quality))


def _no_larger(work: Work, sheet: Sheet, form: Form, body: bytes, source: Source, header: Header) -> bytes:
    """``body``, or a smaller one where the source has the same type and size and fewer bytes.

    The source itself, cleaned without loss, where no pixel was touched: it is as good as can be. Else a lower quality.
    A lossless format whose pixels were changed has nothing to give: it may be larger.
    """
    size = (header.upright_width, header.upright_height)
    if form.name != header.format or (work.frames[0].width, work.frames[0].height) != size:
        return body
    if not work.touched and len(work.frames) == header.frames:
        from .metadata import clean  # needed only here

        cleaned = clean(source.read_all(), header)
        if cleaned is not None and len(cleaned) <= len(body):
            return cleaned
    limit_bytes = len(source.read_all())
    if len(body) <= limit_bytes or form.lossless or work.streams:
        return body
    return encode_below(sheet, form, work.plan.quality, limit_bytes) or body
