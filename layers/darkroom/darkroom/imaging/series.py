"""Everything that ingest wants of a picture's pixels, from one decode.

While the source decodes, it is reduced to the largest picture that is wanted. Each smaller one is reduced from the
smallest before it that is large enough. These internegatives, as photographers call a negative made of a negative, lie
as the source does and have its colours. So each takes the place of a loaded source, and its pictures go the way of any
render.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pyvips

from ..plan.extended.options import borrows
from ..plan.geometry.layout import Box, Geometry, Size
from ..plan.limits import Limits
from ..plan.model import DATA_FORMATS, Plan
from ..plan.redaction import needs_findings
from .describe import sample_plan
from .formats.encode import measure_flat_share
from .formats.load import DecodedImage, get_loaded_size, load
from .formats.probe import Header, probe
from .looks import Looks
from .pipeline import EXPOSE, RETOUCH, run
from .render import Clock, arranged, finished, mounted, own_fault, plays, render
from .rendered_image import RenderedImage
from .source import Source
from .work import IN_MEMORY_PIXELS, Work

LEAST_REDUCTION = 1.4
"""How many px of an internegative become one, at least.

Beside a photograph that was reduced at once, one that was reduced twice had an SSIM of 0.990–0.996 where the second
reduction was by 1.05, 0.996–0.999 by 1.33, and hardly more by 1.5 or 3 (nine photographs, to 320 and 960 px); a scanned
text had 0.983, 0.997 and 0.998.
"""

MOST_FLAT = 0.25
"""Share of flat pixels up to which a cover is cut from an internegative where gravity looks at pixels.

Drawings have places that draw the eye alike: a rounding decides between them, and the cover would not be that of a
render. So it was for 24 of 200 drawings with like corners, all flatter than 0.8. Of 580 photographs and parts of them,
168 in grey (nearly all flatter than 0.2), eight were cut elsewhere, seven of them by less than a tenth of the cover.
"""

_WHOLE = Plan("")
"""What internegatives are made by: the whole picture, all frames, no effect."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """An internegative, and the plans of its size with their geometries, which are about the source."""

    negative: DecodedImage
    wanted: list[tuple[Plan, Geometry]]


class Exposure(Looks):
    """A source that was decoded to its end without damage. :meth:`pictures` lets go of its pixels step by step."""

    def __init__(
        self,
        header: Header,
        source: Source,
        limits: Limits,
        watermarks: Mapping[str, bytes],
        strips: Iterable[_Strip],
        alone: Iterable[Plan],
        small: DecodedImage,
    ) -> None:
        self.header = header
        self._source = source
        self._limits = limits
        self._watermarks = watermarks
        self._strips = deque(strips)
        self._alone = deque(alone)
        self._small = small

    def pictures(self) -> Iterator[tuple[Plan, RenderedImage]]:
        """Each plan and its picture, once, the largest first; made when it is asked for.

        Last come those that decode the source again, since they need more than the whole picture made smaller: a crop,
        another page, more than 32 MP, the attention window of a drawing. Raises what
        :func:`darkroom.imaging.render.render` raises without findings.
        """
        while self._strips:
            strip = self._strips.popleft()
            made: dict[tuple[Plan, Geometry], RenderedImage] = {}
            for plan, geometry in strip.wanted:
                same = (replace(plan, width=None, height=None, download=""), geometry)
                if same not in made:
                    made[same] = self._printed(plan, geometry, strip.negative)
                yield plan, made[same]
        while self._alone:
            plan = self._alone.popleft()
            yield plan, render(plan, self._source, limits=self._limits, watermark=self._mark(plan))

    def _sampled(self) -> pyvips.Image:
        plan = sample_plan(_WHOLE)
        work = mounted(plan, self.header, arranged(plan, self.header), self._small)
        with own_fault():
            run((*EXPOSE, *RETOUCH), work)
        return work.frames[0]

    def _printed(self, plan: Plan, geometry: Geometry, negative: DecodedImage) -> RenderedImage:
        clock = Clock()
        work = mounted(plan, self.header, geometry, negative)
        work.watermark = self._mark(plan)
        with own_fault():
            run(EXPOSE, work)
        clock.stop("decode")
        return finished(work, self._source, self.header, clock)

    def _mark(self, plan: Plan) -> bytes | None:
        return self._watermarks.get(plan.watermark.name) if plan.watermark else None


def expose(
    source: Source, plans: Iterable[Plan], *, limits: Limits, watermarks: Mapping[str, bytes] | None = None
) -> Exposure:
    """Decode ``source`` once and whole, with every frame of an animation, for the pictures of ``plans``.

    ``watermarks`` are the files of the plans' watermarks, by name. Raises TypeNotAllowed, OverLimits, Damaged, or what
    the source's stream raised.
    """
    header = probe(source, limits)
    laid_out = {plan: _laid_out(plan, header) for plan in plans}
    shared = [(plan, geometry) for plan, geometry in laid_out.items() if geometry is not None]
    small = arranged(sample_plan(_WHOLE), header).scaled
    cascade = _cascade(source, header, {small, *(geometry.scaled for _, geometry in shared)}, limits)
    strips = [
        _Strip(negative, [entry for entry in shared if entry[1].scaled == size and _settles(entry[1], negative)])
        for size, negative in cascade.items()
    ]
    made = {plan for strip in strips for plan, _ in strip.wanted}
    alone = [plan for plan in laid_out if plan not in made]
    smallest = cascade.get(small) or _reduced(header, next(iter(cascade.values())), small)
    return Exposure(header, source, limits, watermarks or {}, strips, alone, _still(smallest))


def _laid_out(plan: Plan, header: Header) -> Geometry | None:
    """The geometry of ``plan``, or None where a reduced picture of the whole is not what it starts from.

    Drawings by shapes are drawn anew at each size: a reduced one is less sharp. What is hidden is covered before
    anything is reduced. Options of other URL languages have rules of their own about what they start from.
    """
    if needs_findings(plan) or borrows(plan):
        return None
    if plan.format in DATA_FORMATS or plan.crop or plan.trim or plan.page or plan.fit == "fill":
        return None
    if header.format == "svg" or (header.animated and not plays(plan)):
        return None
    geometry = arranged(plan, header)
    large = geometry.scaled.width * geometry.scaled.height > IN_MEMORY_PIXELS
    return None if geometry.shrink < 1 or (large and not header.animated) else geometry


def _settles(geometry: Geometry, negative: DecodedImage) -> bool:
    """Whether ``negative`` says where ``geometry``'s window is, as surely as the source would."""
    return not geometry.search or measure_flat_share(negative.frames[0]) <= MOST_FLAT


def _cascade(source: Source, header: Header, sizes: Collection[Size], limits: Limits) -> dict[Size, DecodedImage]:
    """An internegative of each upright size, largest first, but for those too near to all that are larger."""
    largest, *smaller = sorted(sizes, key=_pixels, reverse=True)
    made = {largest: _exposed(source, header, largest, limits)}
    for size in smaller:
        if parents := [larger for larger in made if _serves(larger, size, header)]:
            made[size] = _reduced(header, made[parents[-1]], size)
    return made


def _serves(larger: Size, size: Size, header: Header) -> bool:
    """Whether an internegative may be made of a larger one. One as large as the source is the source."""
    if larger == (header.upright_width, header.upright_height):
        return True
    return all(px == wanted or px >= LEAST_REDUCTION * wanted for px, wanted in zip(larger, size, strict=True))


def _exposed(source: Source, header: Header, size: Size, limits: Limits) -> DecodedImage:
    """The first internegative. Of a TIFF with smaller copies in it, the picture itself is what must be sound."""
    geometry = _whole(header, size)
    loaded = load(source, header, geometry, limits, animated=header.animated, whole=header.format == "tiff")
    work = mounted(_WHOLE, header, geometry, loaded, unread=not header.animated)
    with source.decoding():
        run(EXPOSE, work)
    return _negative(work)


def _reduced(header: Header, parent: DecodedImage, size: Size) -> DecodedImage:
    work = mounted(_WHOLE, header, _whole(header, size), parent)
    with own_fault():
        run(EXPOSE, work)
    return _negative(work)


def _negative(work: Work) -> DecodedImage:
    return DecodedImage(work.frames, work.delays_ms, work.loop, modified=work.touched)


def _still(negative: DecodedImage) -> DecodedImage:
    """The first frame alone."""
    return DecodedImage(negative.frames[:1], [], 0, modified=negative.modified)


def _whole(header: Header, size: Size) -> Geometry:
    """The geometry of the whole picture at the upright ``size``."""
    stored, orientation = get_loaded_size(header)
    upright = stored.transposed if orientation >= 5 else stored
    return Geometry(stored, orientation, Box(0, 0, *upright), size)


def _pixels(size: Size) -> int:
    return size.width * size.height
