"""Render many presets of one source from a single decode.

While the source is decoded, it is reduced to the largest size that is needed. Each smaller size is reduced from the
smallest one before it that is large enough. These intermediates keep the orientation and the colours of the source, so
each takes the place of a loaded source, and is rendered like any other.

Two intermediates are also encoded as mezzanines, from which later requests are rendered instead of the source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

import pyvips

from darkroom.imaging.describe import ImageSummary, make_sample_plan
from darkroom.imaging.formats.encode import measure_flat_share
from darkroom.imaging.formats.load import DecodedImage, get_loaded_size, load
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.formats.registry import OUTPUT_FORMATS, is_animated
from darkroom.imaging.render.context import IN_MEMORY_PIXELS
from darkroom.imaging.render.output import MezzanineOf, RenderedImage
from darkroom.imaging.render.pipeline import (
    StageTimer,
    encode_result,
    internal_errors,
    load_rights,
    make_context,
    render,
    resolve_geometry,
)
from darkroom.imaging.render.steps import DECODE_STEPS, EDIT_STEPS, run_steps
from darkroom.imaging.render.steps.common import convert_to_srgb, crop_to_cover, materialise, resize
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Box, Geometry, Size
from darkroom.plan.limits import Limits
from darkroom.plan.model import DATA_FORMATS, DEFAULT_QUALITY, DefaultQuality, Plan
from darkroom.plan.options import uses_extended_options
from darkroom.plan.redaction import needs_findings
from darkroom.plan.variants import MEZZANINE_QUALITY

from .master import HUGE_PIXELS

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

_MEZZANINE_OPTIONS = {"Q": MEZZANINE_QUALITY, "subsample_mode": "off"}
"""Neither progressive nor optimised: a render decodes it, and both cost more time than their bytes."""

_MAX_MEZZANINE_SHARE = 0.5
"""Bytes of a mezzanine, of those of its source, up to which it is stored."""

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
        mezzanines: Mapping[int, DecodedImage],
        rights: str,
        default_quality: DefaultQuality,
    ) -> None:
        self.header = header
        self._source = source
        self._limits = limits
        self._watermarks = watermarks
        self._intermediates = deque(intermediates)
        self._alone = deque(alone)
        self._small = small
        self._mezzanines = deque(mezzanines.items())
        self._rights = rights
        self._default_quality = default_quality

    def render_all(self) -> Iterator[tuple[Plan | MezzanineOf, RenderedImage]]:
        """Render mezzanines, then each plan once, the largest first, on demand.

        Last come those that decode the source again, since a reduced image does not suffice: a crop, another page, more
        than 32 MP, the attention window of a drawing. Raises what :func:`.pipeline.render` raises without findings.
        """
        while self._mezzanines:
            side_px, reduced = self._mezzanines.popleft()
            mezzanine = _encode_mezzanine(self.header, reduced)
            if len(mezzanine.body) <= self._source.size_bytes * _MAX_MEZZANINE_SHARE:
                yield MezzanineOf(side_px, _describe_master(self.header)), mezzanine
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
            mark = self._watermark_of(plan)
            yield (
                plan,
                render(
                    plan,
                    self._source,
                    limits=self._limits,
                    watermark=mark,
                    overlays=self._watermarks,
                    effort="balanced",
                    default_quality=self._default_quality,
                    rights=self._rights,
                ),
            )

    def _make_sample(self) -> pyvips.Image:
        plan = make_sample_plan(_WHOLE_IMAGE)
        context = make_context(plan, self.header, resolve_geometry(plan, self.header), self._small)
        with internal_errors():
            run_steps((*DECODE_STEPS, *EDIT_STEPS), context)
        return context.frames[0]

    def _render(self, plan: Plan, geometry: Geometry, intermediate: DecodedImage) -> RenderedImage:
        watermark, timer = self._watermark_of(plan), StageTimer()
        rights = load_rights(plan, self._source, self.header, self._rights)
        context = make_context(plan, self.header, geometry, intermediate)
        context.watermark, context.overlays = watermark, self._watermarks
        context.rights, context.effort, context.default_quality = rights, "balanced", self._default_quality
        with internal_errors():  # the rest of DECODE_STEPS has made the intermediate, which is in memory
            crop_to_cover(context)
        timer.stop("decode")
        return encode_result(context, self._source, self.header, timer)

    def _watermark_of(self, plan: Plan) -> bytes | None:
        return self._watermarks.get(plan.watermark.name) if plan.watermark else None


def decode_once(
    source: Source,
    plans: Iterable[Plan],
    *,
    limits: Limits,
    watermarks: Mapping[str, bytes] | None = None,
    mezzanines: bool = False,
    rights: str = "",
    default_quality: DefaultQuality = DEFAULT_QUALITY,
) -> BatchRender:
    """Decode ``source`` once and whole, with every frame of an animation, to render ``plans``.

    ``watermarks`` are the files of the plans' watermarks and overlays, by name. ``mezzanines``: they are rendered too.
    ``rights`` is the text of the rights of the image, empty if unknown. ``default_quality`` is that of plans
    without one. Raises TypeNotAllowed, OverLimits, DamagedSource, or what the source's stream raised.
    """
    header = probe(source, limits)
    geometries = {plan: _shared_geometry(plan, header) for plan in plans}
    shared = [(plan, geometry) for plan, geometry in geometries.items() if geometry is not None]
    small = resolve_geometry(make_sample_plan(_WHOLE_IMAGE), header).scaled
    sizes = {small, *(geometry.scaled for _, geometry in shared)}
    mezzanine_sizes = _list_mezzanine_sizes(header) if mezzanines else {}
    reducer = _Reducer(header, *get_loaded_size(header))
    first = reducer.choose_first_size(sizes, mezzanine_sizes.values())
    intermediates_by_size = reducer.make_intermediates(source, first, sizes, limits)
    intermediates = [
        _Intermediate(
            decoded, [entry for entry in shared if entry[1].scaled == size and _decides_window(entry[1], decoded)]
        )
        for size, decoded in intermediates_by_size.items()
    ]
    made = {plan for one in intermediates for plan, _ in one.plans}
    alone = [plan for plan in geometries if plan not in made]
    smallest = intermediates_by_size.get(small) or reducer.reduce(intermediates_by_size[first], small)
    reduced = {side: reducer.reduce_any(intermediates_by_size, size) for side, size in mezzanine_sizes.items()}
    kept = {side: decoded for side, decoded in reduced.items() if _is_photograph(decoded.frames[0])}
    first_frame = DecodedImage(smallest.frames[:1], [], 0, modified=smallest.modified)
    files = watermarks or {}
    return BatchRender(header, source, limits, files, intermediates, alone, first_frame, kept, rights, default_quality)


def render_mezzanines(source: Source, limits: Limits) -> list[tuple[MezzanineOf, RenderedImage]]:
    """Render the mezzanines of ``source`` alone; none, and without a decode, if it is small or not a plain photograph.

    Raises what :func:`decode_once` raises.
    """
    if not _list_mezzanine_sizes(probe(source, limits)):
        return []
    made = decode_once(source, (), limits=limits, mezzanines=True).render_all()
    return [(of, image) for of, image in made if isinstance(of, MezzanineOf)]


def _list_mezzanine_sizes(header: Header) -> dict[int, Size]:
    """Return the upright sizes of mezzanines of an opaque still with 8 bits a channel, by their longer sides.

    Pyramids (TIFF and huge images) have smaller versions of their own, and SVG is drawn at each size.
    """
    from darkroom.plan.geometry.mezzanines import list_mezzanine_sizes  # few ingests store some

    size = Size(header.upright_width, header.upright_height)
    plain = header.frames == 1 and not header.has_alpha and header.bits == 8 and header.colour in ("gray", "rgb")
    whole = header.format not in ("svg", "tiff") and size.width * size.height < HUGE_PIXELS
    return list_mezzanine_sizes(size) if plain and whole else {}


def _is_photograph(image: pyvips.Image) -> bool:
    """Return whether a lossy copy suffices: drawings are encoded without loss, or cropped by rounding errors."""
    return not image.hasalpha() and image.format == "uchar" and measure_flat_share(image) <= MAX_FLAT_SHARE


def _encode_mezzanine(header: Header, decoded: DecodedImage) -> RenderedImage:
    """Encode ``decoded`` in sRGB, which every render converts to, and in the orientation of the source."""
    size = Size(decoded.frames[0].width, decoded.frames[0].height)
    context = make_context(_WHOLE_IMAGE, header, Geometry(size, 1, Box(0, 0, *size), size), decoded)
    with internal_errors():
        convert_to_srgb(context)
        body: bytes = context.frames[0].jpegsave_buffer(keep="none", **_MEZZANINE_OPTIONS)
    return RenderedImage(body, OUTPUT_FORMATS["jpeg"].content_type, *size)


def _describe_master(header: Header) -> str:
    """Return the header of the master as a mezzanine needs it: in sRGB."""
    return replace(header, has_profile=False, cicp=None, gamma=0.0).text


def _shared_geometry(plan: Plan, header: Header) -> Geometry | None:
    """Return the geometry of ``plan``, or None where it cannot be rendered from a reduced image.

    SVG is rasterised at each size: a reduced raster is less sharp. Redaction covers before any reduction. Extended
    options have rules of their own about the pixels that they start from. An enhancement is measured in the source.
    """
    if needs_findings(plan) or uses_extended_options(plan) or plan.enhance != "none" or plan.white_balance:
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


@dataclass(frozen=True, slots=True)
class _Reducer:
    """Reduces the source with this ``header`` to upright sizes. ``stored`` is its size, as loaded."""

    header: Header
    stored: Size
    orientation: int

    def choose_first_size(self, sizes: Collection[Size], mezzanines: Collection[Size]) -> Size:
        """Return the size of the first intermediate: the largest, or one from which that and mezzanines are reduced."""
        largest = max(sizes, key=_count_pixels)
        first = max((largest, *mezzanines), key=_count_pixels)
        if self._is_large_enough(first, largest):
            return first
        box, whole = Size(*(ceil(side * MIN_REDUCTION) for side in largest)), self._turn(self.stored)
        return whole if box.width > whole.width or box.height > whole.height else box

    def make_intermediates(
        self, source: Source, first: Size, sizes: Collection[Size], limits: Limits
    ) -> dict[Size, DecodedImage]:
        """Return the ``first`` and an intermediate for each upright size, largest first, but none too close to all
        larger ones.
        """
        made = {first: self._decode(source, first, limits)}
        for size in sorted(set(sizes) - {first}, key=_count_pixels, reverse=True):
            if parents := [larger for larger in made if self._is_large_enough(larger, size)]:
                made[size] = self.reduce(made[parents[-1]], size)
        return made

    def reduce_any(self, made: Mapping[Size, DecodedImage], size: Size) -> DecodedImage:
        """Return the intermediate of ``size``, or one reduced from the smallest that is large enough, or the first."""
        if size in made:
            return made[size]
        parents = [larger for larger in made if self._is_large_enough(larger, size)]
        return self.reduce(made[parents[-1] if parents else next(iter(made))], size)

    def reduce(self, parent: DecodedImage, size: Size) -> DecodedImage:
        """Return ``parent``, an intermediate, in the upright ``size``."""
        first = parent.frames[0]
        geometry = self._scale(Size(first.width, first.height), size)
        context = make_context(_WHOLE_IMAGE, self.header, geometry, parent)
        with internal_errors():
            resize(context)
            materialise(context)
        return DecodedImage(context.frames, context.delays_ms, context.loop, modified=context.touched)

    def _decode(self, source: Source, size: Size, limits: Limits) -> DecodedImage:
        """Decode the first intermediate. Of a TIFF with smaller copies in it, the full image is decoded as a check."""
        header, geometry = self.header, self._scale(self.stored, size)
        loaded = load(source, header, geometry, limits, animated=header.animated, whole=header.format == "tiff")
        context = make_context(_WHOLE_IMAGE, header, geometry, loaded, unread=not header.animated)
        with source.decoding():
            run_steps(DECODE_STEPS, context)
        return DecodedImage(context.frames, context.delays_ms, context.loop, modified=context.touched)

    def _scale(self, stored: Size, size: Size) -> Geometry:
        """Return the geometry of the whole image, as it is stored in the size ``stored``, at the upright ``size``."""
        return Geometry(stored, self.orientation, Box(0, 0, *self._turn(stored)), size)

    def _turn(self, stored: Size) -> Size:
        return stored.transposed if self.orientation >= 5 else stored

    def _is_large_enough(self, larger: Size, size: Size) -> bool:
        """Return whether ``size`` may be reduced from ``larger``, which may be the source itself."""
        if larger == self._turn(self.stored):
            return True
        return all(px == wanted or px >= MIN_REDUCTION * wanted for px, wanted in zip(larger, size, strict=True))


def _count_pixels(size: Size) -> int:
    return size.width * size.height
