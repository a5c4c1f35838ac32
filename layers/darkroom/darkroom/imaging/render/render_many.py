"""Render many presets of one source from a single decode.

While the source is decoded, it is reduced to the largest size that is needed. Each smaller size is reduced from the
smallest one before it that is large enough. These intermediates keep the orientation and the colours of the source, so
each takes the place of a loaded source, and is rendered like any other.
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
from ..preview.describe import ImageSummary, make_sample_plan
from ..rendered_image import RenderedImage
from ..source import Source
from .context import IN_MEMORY_PIXELS, RenderContext
from .pipeline import (
    DECODE_STEPS,
    EDIT_STEPS,
    StageTimer,
    encode_result,
    internal_errors,
    is_animated,
    make_context,
    render,
    resolve_geometry,
    run_steps,
)

MIN_REDUCTION = 1.4
"""The least factor between two intermediates.

Compared with photographs that were reduced at once, those reduced twice had an SSIM of 0.990–0.996 where the second
reduction was by 1.05, 0.996–0.999 by 1.33, and hardly more by 1.5 or 3 (nine photographs, to 320 and 960 px); a scanned
text had 0.983, 0.997 and 0.998."""

MAX_FLAT_SHARE = 0.25
"""Share of flat pixels up to which a cover is cropped from an intermediate where gravity analyses pixels.

Drawings have regions of equal attention: rounding decides between them, and the crop would not be that of a single
render. That was so for 24 of 200 drawings with similar corners, all flatter than 0.8. Of 580 photographs and parts of
them, 168 in grey (nearly all flatter than 0.2), eight were cropped differently, seven of them by less than a tenth of
the cover."""

_WHOLE_IMAGE = Plan("")
"""The plan of an intermediate: the whole image, all frames, no effect."""


@dataclass(frozen=True, slots=True)
class _Intermediate:
    """An intermediate, and the plans rendered from it with their geometries, which refer to the source."""

    image: DecodedImage
    plans: list[tuple[Plan, Geometry]]


class BatchRender(ImageSummary):
    """A source that was decoded to its end without damage. :meth:`render_all` releases its pixels step by step."""

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
        """Render each plan once, the largest first, on demand.

        Last come those that decode the source again, since a reduced image does not suffice: a crop, another page, more
        than 32 MP, the attention window of a drawing. Raises what :func:`.pipeline.render` raises without findings.
        """
        while self._intermediates:
            intermediate = self._intermediates.popleft()
            made: dict[tuple[Plan, Geometry], RenderedImage] = {}
            for plan, geometry in intermediate.plans:
                same = (replace(plan, width=None, height=None, download=""), geometry)
                if same not in made:
                    made[same] = self._render(plan, geometry, intermediate.image)
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
        timer = StageTimer()
        context = make_context(plan, self.header, geometry, intermediate)
        context.watermark = self._watermark_of(plan)
        with internal_errors():
            run_steps(DECODE_STEPS, context)
        timer.stop("decode")
        return encode_result(context, self._source, self.header, timer)

    def _watermark_of(self, plan: Plan) -> bytes | None:
        return self._watermarks.get(plan.watermark.name) if plan.watermark else None


def decode_once(
    source: Source, plans: Iterable[Plan], *, limits: Limits, watermarks: Mapping[str, bytes] | None = None
) -> BatchRender:
    """Decode ``source`` once and whole, with every frame of an animation, to render ``plans``.

    ``watermarks`` are the files of the plans' watermarks, by name. Raises TypeNotAllowed, OverLimits, DamagedSource, or
    what the source's stream raised.
    """
    header = probe(source, limits)
    geometries = {plan: _shared_geometry(plan, header) for plan in plans}
    shared = [(plan, geometry) for plan, geometry in geometries.items() if geometry is not None]
    small = resolve_geometry(make_sample_plan(_WHOLE_IMAGE), header).scaled
    intermediates_by_size = _make_intermediates(
        source, header, {small, *(geometry.scaled for _, geometry in shared)}, limits
    )
    intermediates = [
        _Intermediate(
            decoded, [entry for entry in shared if entry[1].scaled == size and _decides_window(entry[1], decoded)]
        )
        for size, decoded in intermediates_by_size.items()
    ]
    made = {plan for one in intermediates for plan, _ in one.plans}
    alone = [plan for plan in geometries if plan not in made]
    smallest = intermediates_by_size.get(small) or _reduce(header, next(iter(intermediates_by_size.values())), small)
    first = DecodedImage(smallest.frames[:1], [], 0, modified=smallest.modified)
    return BatchRender(header, source, limits, watermarks or {}, intermediates, alone, first)


def _shared_geometry(plan: Plan, header: Header) -> Geometry | None:
    """Return the geometry of ``plan``, or None where it cannot be rendered from a reduced image.

    SVG is rasterised at each size: a reduced raster is less sharp. Redaction covers before any reduction. Extended
    options have rules of their own about the pixels that they start from.
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
    """Return whether ``intermediate`` gives the same window for ``geometry`` as the source."""
    return not geometry.search or measure_flat_share(intermediate.frames[0]) <= MAX_FLAT_SHARE


def _make_intermediates(
    source: Source, header: Header, sizes: Collection[Size], limits: Limits
) -> dict[Size, DecodedImage]:
    """Return an intermediate for each upright size, largest first, without those too close to all larger ones."""
    largest, *smaller = sorted(sizes, key=lambda size: size.width * size.height, reverse=True)
    made = {largest: _decode_first(source, header, largest, limits)}
    for size in smaller:
        if parents := [larger for larger in made if _is_large_enough(larger, size, header)]:
            made[size] = _reduce(header, made[parents[-1]], size)
    return made


def _is_large_enough(larger: Size, size: Size, header: Header) -> bool:
    """Return whether ``size`` may be reduced from ``larger``. One of the source's size is the source itself."""
    if larger == (header.upright_width, header.upright_height):
        return True
    return all(px == wanted or px >= MIN_REDUCTION * wanted for px, wanted in zip(larger, size, strict=True))


def _decode_first(source: Source, header: Header, size: Size, limits: Limits) -> DecodedImage:
    """Decode the first intermediate. Of a TIFF with smaller copies in it, the full image is decoded, to check it."""
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


def _whole_geometry(header: Header, size: Size) -> Geometry:
    """Return the geometry of the whole image at the upright ``size``."""
    stored, orientation = get_loaded_size(header)
    upright = stored.transposed if orientation >= 5 else stored
    return Geometry(stored, orientation, Box(0, 0, *upright), size)
