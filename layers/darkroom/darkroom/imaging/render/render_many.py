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

from ...plan.geometry.layout import Box, Geometry, Size
from ...plan.limits import Limits
from ...plan.model import DATA_FORMATS, Plan
from ...plan.options import uses_extended_options
from ...plan.redaction import needs_findings
from ..formats.encode import measure_flat_share
from ..formats.load import DecodedImage, get_loaded_size, load
from ..formats.probe import Header, probe
from ..preview.describe import make_sample_plan
from ..preview.summary import ImageSummary
from ..rendered_image import RenderedImage
from ..source import Source
from .context import IN_MEMORY_PIXELS, RenderContext
from .pipeline import StageTimer, encode_result, internal_errors, is_animated, make_context, render, resolve_geometry
from .step_order import DECODE_STEPS, EDIT_STEPS, run_steps

MIN_REDUCTION = 1.4
"""How many px of an internegative become one, at least.

Beside a photograph that was reduced at once, one that was reduced twice had an SSIM of 0.990–0.996 where the second
reduction was by 1.05, 0.996–0.999 by 1.33, and hardly more by 1.5 or 3 (nine photographs, to 320 and 960 px); a scanned
text had 0.983, 0.997 and 0.998.
"""

MAX_FLAT_SHARE = 0.25
"""Share of flat pixels up to which a cover is cut from an internegative where gravity looks at pixels.

Drawings have places that draw the eye alike: a rounding decides between them, and the cover would not be that of a
render. So it was for 24 of 200 drawings with like corners, all flatter than 0.8. Of 580 photographs and parts of them,
168 in grey (nearly all flatter than 0.2), eight were cut elsewhere, seven of them by less than a tenth of the cover.
"""

_WHOLE_IMAGE = Plan("")
"""What internegatives are made by: the whole picture, all frames, no effect."""


@dataclass(frozen=True, slots=True)
class _Intermediate:
    """An internegative, and the plans of its size with their geometries, which are about the source."""

    image: DecodedImage
    plans: list[tuple[Plan, Geometry]]


class BatchRender(ImageSummary):
    """A source that was decoded to its end without damage. :meth:`pictures` lets go of its pixels step by step."""

    def __init__(
        self,
        header: Header,
        source: Source,
        limits: Limits,
        watermarks: Mapping[str, bytes],
        intermediates: Iterable[_Intermediate],
        alone: Iterable[Plan],
        small: DecodedImage,
    ) -> None:
        self.header = header
        self._source = source
        self._limits = limits
        self._watermarks = watermarks
        self._intermediates = deque(intermediates)
        self._alone = deque(alone)
        self._small = small

    def render_all(self) -> Iterator[tuple[Plan, RenderedImage]]:
        """Each plan and its picture, once, the largest first; made when it is asked for.

        Last come those that decode the source again, since they need more than the whole picture made smaller: a crop,
        another page, more than 32 MP, the attention window of a drawing. Raises what
        :func:`darkroom.imaging.render.pipeline.render` raises without findings.
        """
        while self._intermediates:
            strip = self._intermediates.popleft()
            made: dict[tuple[Plan, Geometry], RenderedImage] = {}
            for plan, geometry in strip.plans:
                same = (replace(plan, width=None, height=None, download=""), geometry)
                if same not in made:
                    made[same] = self._render(plan, geometry, strip.image)
                yield plan, made[same]
        while self._alone:
            plan = self._alone.popleft()
            yield plan, render(plan, self._source, limits=self._limits, watermark=self._watermark_of(plan))

    def _make_sample(self) -> pyvips.Image:
        plan = make_sample_plan(_WHOLE_IMAGE)
        context = make_context(plan, self.header, resolve_geometry(plan, self.header), self._small)
        with internal_errors():
            run_steps((*DECODE_STEPS, *EDIT_STEPS), context)
        return context.frames[0]

    def _render(self, plan: Plan, geometry: Geometry, intermediate: DecodedImage) -> RenderedImage:
        clock = StageTimer()
        context = make_context(plan, self.header, geometry, intermediate)
        context.watermark = self._watermark_of(plan)
        with internal_errors():
            run_steps(DECODE_STEPS, context)
        clock.stop("decode")
        return encode_result(context, self._source, self.header, clock)

    def _watermark_of(self, plan: Plan) -> bytes | None:
        return self._watermarks.get(plan.watermark.name) if plan.watermark else None


def decode_once(
    source: Source, plans: Iterable[Plan], *, limits: Limits, watermarks: Mapping[str, bytes] | None = None
) -> BatchRender:
    """Decode ``source`` once and whole, with every frame of an animation, for the pictures of ``plans``.

    ``watermarks`` are the files of the plans' watermarks, by name. Raises TypeNotAllowed, OverLimits, Damaged, or what
    the source's stream raised.
    """
    header = probe(source, limits)
    laid_out = {plan: _shared_geometry(plan, header) for plan in plans}
    shared = [(plan, geometry) for plan, geometry in laid_out.items() if geometry is not None]
    small = resolve_geometry(make_sample_plan(_WHOLE_IMAGE), header).scaled
    cascade = _make_intermediates(source, header, {small, *(geometry.scaled for _, geometry in shared)}, limits)
    strips = [
        _Intermediate(
            negative, [entry for entry in shared if entry[1].scaled == size and _decides_window(entry[1], negative)]
        )
        for size, negative in cascade.items()
    ]
    made = {plan for strip in strips for plan, _ in strip.plans}
    alone = [plan for plan in laid_out if plan not in made]
    smallest = cascade.get(small) or _reduce(header, next(iter(cascade.values())), small)
    return BatchRender(header, source, limits, watermarks or {}, strips, alone, _first_frame(smallest))


def _shared_geometry(plan: Plan, header: Header) -> Geometry | None:
    """The geometry of ``plan``, or None where a reduced picture of the whole is not what it starts from.

    Drawings by shapes are drawn anew at each size: a reduced one is less sharp. What is hidden is covered before
    anything is reduced. Options of other URL languages have rules of their own about what they start from.
    """
    if needs_findings(plan) or uses_extended_options(plan):
        return None
    if plan.format in DATA_FORMATS or plan.crop or plan.trim or plan.page or plan.fit == "fill":
        return None
    if header.format == "svg" or (header.animated and not is_animated(plan)):
        return None
    geometry = resolve_geometry(plan, header)
    large = geometry.scaled.width * geometry.scaled.height > IN_MEMORY_PIXELS
    return None if geometry.shrink < 1 or (large and not header.animated) else geometry


def _decides_window(geometry: Geometry, intermediate: DecodedImage) -> bool:
    """Whether ``negative`` says where ``geometry``'s window is, as surely as the source would."""
    return not geometry.search or measure_flat_share(intermediate.frames[0]) <= MAX_FLAT_SHARE


def _make_intermediates(
    source: Source, header: Header, sizes: Collection[Size], limits: Limits
) -> dict[Size, DecodedImage]:
    """An internegative of each upright size, largest first, but for those too near to all that are larger."""
    largest, *smaller = sorted(sizes, key=_pixel_count, reverse=True)
    made = {largest: _decode_first(source, header, largest, limits)}
    for size in smaller:
        if parents := [larger for larger in made if _is_large_enough(larger, size, header)]:
            made[size] = _reduce(header, made[parents[-1]], size)
    return made


def _is_large_enough(larger: Size, size: Size, header: Header) -> bool:
    """Whether an internegative may be made of a larger one. One as large as the source is the source."""
    if larger == (header.upright_width, header.upright_height):
        return True
    return all(px == wanted or px >= MIN_REDUCTION * wanted for px, wanted in zip(larger, size, strict=True))


def _decode_first(source: Source, header: Header, size: Size, limits: Limits) -> DecodedImage:
    """The first internegative. Of a TIFF with smaller copies in it, the picture itself is what must be sound."""
    geometry = _whole_geometry(header, size)
    loaded = load(source, header, geometry, limits, animated=header.animated, whole=header.format == "tiff")
    context = make_context(_WHOLE_IMAGE, header, geometry, loaded, unread=not header.animated)
    with source.decoding():
        run_steps(DECODE_STEPS, context)
    return _to_decoded_image(context)


def _reduce(header: Header, parent: DecodedImage, size: Size) -> DecodedImage:
    context = make_context(_WHOLE_IMAGE, header, _whole_geometry(header, size), parent)
    with internal_errors():
        run_steps(DECODE_STEPS, context)
    return _to_decoded_image(context)


def _to_decoded_image(context: RenderContext) -> DecodedImage:
    return DecodedImage(context.frames, context.delays_ms, context.loop, modified=context.touched)


def _first_frame(negative: DecodedImage) -> DecodedImage:
    """The first frame alone."""
    return DecodedImage(negative.frames[:1], [], 0, modified=negative.modified)


def _whole_geometry(header: Header, size: Size) -> Geometry:
    """The geometry of the whole picture at the upright ``size``."""
    stored, orientation = get_loaded_size(header)
    upright = stored.transposed if orientation >= 5 else stored
    return Geometry(stored, orientation, Box(0, 0, *upright), size)


def _pixel_count(size: Size) -> int:
    return size.width * size.height
