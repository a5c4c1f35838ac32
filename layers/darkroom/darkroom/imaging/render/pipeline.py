"""Render one image from a plan and a source, by steps in a fixed order, whatever order a URL has.

The order is: orient, crop, redact, trim, resize, to sRGB, cut out, enhance, rotate and flip, effects, watermark,
radius, pad, background and overlays. The steps of options that exist for other services' URLs have the place that they
have there. One step runs elsewhere because that is cheaper and gives the same image: ``auto_orient`` comes after the
resize, since the geometry has converted crop and size to the stored image's coordinates. CMYK is converted to sRGB
before the resize.

``redact`` comes before every step that mixes or analyses pixels. After the effects, a cover would look the same, but
what it hides would already have leaked into its surroundings: through a blur, the kernel of the resize, an equalised
histogram, or the place of a trim or an attention crop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyvips

from ...errors import DamagedSource, DarkroomError
from ...plan.geometry.layout import Geometry, Size, compute_geometry
from ...plan.limits import Limits
from ...plan.model import AUTO_QUALITY, DATA_FORMATS, DEFAULT_QUALITY, DefaultQuality, Plan
from ..formats.image_format import Effort
from ..formats.load import (
    SPARE_REDUCTION,
    DecodedImage,
    choose_spare_reduction,
    decodes_identically,
    get_loaded_size,
    load,
)
from ..formats.probe import Header, probe
from ..formats.registry import TARGET_FORMATS, is_animated
from ..source import Source
from .context import RenderContext, Step
from .output import RenderedImage, encode_output
from .steps import DECODE_STEPS, EDIT_STEPS, run_steps

if TYPE_CHECKING:
    from ...findings import Findings
    from ..formats.metadata.rights import Rights


NO_FILES: Mapping[str, bytes] = MappingProxyType({})


def render(
    plan: Plan,
    source: Source,
    *,
    limits: Limits,
    watermark: bytes | None = None,
    second_watermark: bytes | None = None,
    overlays: Mapping[str, bytes] = NO_FILES,
    findings: Findings | None = None,
    effort: Effort = "fast",
    default_quality: DefaultQuality = DEFAULT_QUALITY,
    checked_sha256: str = "",
    master: Header | None = None,
    rights: str = "",
) -> RenderedImage:
    """Render the image that ``plan`` describes from ``source``.

    ``watermark`` and ``second_watermark`` are the files that the plan's watermarks name, ``overlays`` has those of its
    overlays. ``findings`` are the known findings of ``source``: a redaction is not rendered without them, and a crop to
    faces, text or objects without them keeps the most striking part. ``effort`` is that of the encoder,
    ``default_quality`` the quality of a plan without one. ``checked_sha256`` is the SHA-256 of the bytes that ingest
    stripped and decoded whole, empty if unknown. Only a ``source`` of these bytes is returned without a decode, or
    unmodified; any other is decoded whole and stripped. ``master``: the header of the master, of which ``source`` is a
    mezzanine that suffices (:mod:`darkroom.plan.geometry.mezzanines`). It takes the place of a decoder that shrinks:
    the geometry is that of the master. ``rights`` is the text of the rights in the metadata of the
    master, empty if unknown: then they are read from ``source``.

    Timings: ``decode`` is one lazy pass of reading, decoding, cropping and resizing, until the remaining pixels are in
    memory; with a streamed source it includes the wait for bytes. ``transform`` is every later step. ``encode`` is the
    encoder alone, all encodes included. Only an image of more than 32 MP is streamed, and its decoding then counts as
    ``encode``.

    Raises TypeNotAllowed, OverLimits, DamagedSource, BadOption (a crop, page or class of objects that the source does
    not have), FindingsPending or Unanalysable where a redaction has no findings, NoInference where there is no model,
    what the source's stream raised, or DarkroomError for internal errors.
    """
    if plan.format in DATA_FORMATS:
        return _describe(plan, source, limits, rights, findings)
    timer = StageTimer()
    if master is None:
        header, geometry = inspect_source(plan, source, limits, findings)
    else:
        header, geometry = master, resolve_geometry(plan, master, findings)
    stated = load_rights(plan, source, header, rights)
    if found := _keep_source(plan, source, header, geometry, limits, checked_sha256, stated, default_quality):
        timer.stop("decode")
        size = (header.upright_width, header.upright_height)
        return RenderedImage(found[1], found[0], *size, header.frames, timer.timings_ms)
    context = decode(
        plan, source, header, geometry, limits, watermark, findings, effort, of_mezzanine=master is not None
    )
    context.second_watermark, context.overlays, context.rights = second_watermark, overlays, stated
    context.default_quality = default_quality
    timer.stop("decode")
    return encode_result(context, source, header, timer)


def _keep_source(
    plan: Plan,
    source: Source,
    header: Header,
    geometry: Geometry,
    limits: Limits,
    checked_sha256: str,
    rights: Rights | None,
    default_quality: DefaultQuality,
) -> tuple[str, bytes] | None:
    """Return the content type and the bytes of ``source``, if ``plan`` needs no render."""
    if plan.passthrough_formats:
        from .passthrough import pass_through  # only dialects request it

        if answer := pass_through(plan, source, header, limits, checked_sha256, rights):
            return answer
    if checked_sha256 and geometry.scaled == geometry.stored:
        from .passthrough import reuse_source  # most requests are for something smaller

        if reused := reuse_source(plan, source, header, geometry, checked_sha256, rights, default_quality.jpeg):
            return reused[0].content_type, reused[1]
    return None


def decode(
    plan: Plan,
    source: Source,
    header: Header,
    geometry: Geometry,
    limits: Limits,
    watermark: bytes | None,
    findings: Findings | None,
    effort: Effort,
    *,
    of_mezzanine: bool = False,
    steps: Iterable[Step] = (),
) -> RenderContext:
    """Decode and reduce the source, or its mezzanine, to the remaining pixels. Raises what :func:`render` does.

    ``steps`` are run instead of :data:`DECODE_STEPS` if there are any.
    """
    context = _load(plan, source, header, geometry, limits, effort, of_mezzanine=of_mezzanine)
    context.watermark, context.findings, context.effort = watermark, _locate_findings(plan, header, findings), effort
    with source.decoding(of_source=decodes_identically(source, header)):
        run_steps(steps or DECODE_STEPS, context)
    tones = plan.enhance != "none"
    if tones or plan.white_balance:
        from .steps.enhance import make_sample_plan, measure  # few plans need a second decode

        sample = render_sample(make_sample_plan(plan), source, limits, findings)
        context.correction = measure(sample, tones=tones)
    return context


def render_sample(plan: Plan, source: Source, limits: Limits, findings: Findings | None = None) -> pyvips.Image:
    """Render ``plan`` from ``source`` to 8 bits in memory, without encoding it. Raises what :func:`render` does."""
    header, geometry = inspect_source(plan, source, limits, findings)
    context = decode(plan, source, header, geometry, limits, None, findings, "slow")
    with internal_errors():
        run_steps(EDIT_STEPS, context)
    return context.frames[0]


def load_rights(plan: Plan, source: Source, header: Header, text: str) -> Rights | None:
    """Return the rights that the result of ``plan`` states, None if it states none.

    ``text``: those in the metadata of the master; those of the file ``source`` if ingest has not written it.
    """
    if not plan.rights and plan.format != "json":
        return None
    from ..formats.metadata.rights import Rights  # most results state none

    stated = Rights.parse(text)
    if stated is not None:
        return stated
    from ..formats.metadata.provenance import read_rights

    return read_rights(source, header)


def _describe(plan: Plan, source: Source, limits: Limits, rights: str, findings: Findings | None) -> RenderedImage:
    """Render ``f=json`` and ``f=thumbhash`` from a small sample, which is rendered like any other image."""
    from ..describe import JSON_TYPE, THUMBHASH_TYPE, describe, encode_placeholder, make_sample_plan

    timer = StageTimer()
    sampled = make_sample_plan(plan)
    header, geometry = inspect_source(sampled, source, limits)
    context = _load(sampled, source, header, geometry, limits, "slow")
    first = context.frames[0]
    profile = first.get("icc-profile-data") if first.get_typeof("icc-profile-data") else None
    with source.decoding():
        run_steps(DECODE_STEPS, context)
    timer.stop("decode")
    with internal_errors():
        run_steps(EDIT_STEPS, context)
        timer.stop("transform")
        sample = context.frames[0]
        if plan.format == "thumbhash":
            content_type, body = THUMBHASH_TYPE, encode_placeholder(sample).encode()
        else:
            content_type = JSON_TYPE
            stated = load_rights(plan, source, header, rights)
            body = describe(
                plan,
                header,
                sample,
                size_bytes=source.size_bytes,
                profile=profile,
                rights=stated,
                findings=findings,
            )
    timer.stop("encode")
    return RenderedImage(
        body, content_type, header.upright_width, header.upright_height, header.frames, timer.timings_ms
    )


class StageTimer:
    """Time consecutive stages, each from the end of the one before."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}
        self._last_s = perf_counter()

    def stop(self, stage: str) -> None:
        """End a stage."""
        now_s = perf_counter()
        self.timings_ms[stage] = (now_s - self._last_s) * 1000
        self._last_s = now_s


def inspect_source(
    plan: Plan, source: Source, limits: Limits, findings: Findings | None = None
) -> tuple[Header, Geometry]:
    """Return the header of ``source``, and the geometry of ``plan`` for it."""
    header = probe(source, limits, page=plan.page, animated=is_animated(plan), partial=True)
    return header, resolve_geometry(plan, header, findings)


def _load(
    plan: Plan,
    source: Source,
    header: Header,
    geometry: Geometry,
    limits: Limits,
    effort: Effort,
    *,
    of_mezzanine: bool = False,
) -> RenderContext:
    """Return a render context before any pixel is decoded. ``header`` and ``geometry`` are those of the master."""
    stored, within = header, geometry
    if of_mezzanine:
        from ...plan.geometry.mezzanines import is_mezzanine_sufficient

        stored = probe(source, limits)
        within = geometry.for_stored_size(Size(stored.width, stored.height))
        if not is_mezzanine_sufficient(geometry, within.stored):
            raise DamagedSource(detail=f"mezzanine of {within.stored} for {geometry}")
    animated = is_animated(plan) and header.animated
    spare = (
        SPARE_REDUCTION
        if plan.quality == AUTO_QUALITY
        else choose_spare_reduction(TARGET_FORMATS[plan.format].still.name, effort)
    )
    whole = bool(plan.trim) or of_mezzanine
    decoded = load(source, stored, within, limits, page=plan.page, animated=animated, whole=whole, spare=spare)
    context = make_context(plan, header, geometry, decoded, unread=not animated and not source.is_ranged)
    if of_mezzanine:  # its pixels are sharper than the master's: box filters and its decoder's lose up to 4 points
        context.gap = 0.0
    return context


def resolve_geometry(plan: Plan, header: Header, findings: Findings | None = None) -> Geometry:
    """Return the geometry of ``plan`` for ``header``. Raises BadOption as :func:`.compute_geometry` does."""
    target = TARGET_FORMATS[plan.format]
    stored, orientation = get_loaded_size(header)
    if not (plan.orient or plan.redact):
        orientation = 1
    subject = None
    if findings is not None and (plan.face_crop or plan.face_zoom):
        from ...findings import get_face_regions
        from ...plan.geometry.faces import crop_to_faces  # only dialects request it

        subject = crop_to_faces(plan, stored, orientation, get_face_regions(_locate_findings(plan, header, findings)))
    return compute_geometry(
        plan, stored, orientation, subject=subject, max_side_px=target.max_side_px, max_pixels=target.max_pixels
    )


def _locate_findings(plan: Plan, header: Header, findings: Findings | None) -> Findings | None:
    """Convert ``findings``, which refer to the upright source, to the orientation that ``plan`` renders."""
    orientation = get_loaded_size(header)[1]
    if findings is None or plan.orient or plan.redact or orientation == 1:
        return findings
    from ...plan.geometry.faces import rotate_faces_to_stored

    return rotate_faces_to_stored(findings, orientation)


def make_context(
    plan: Plan, header: Header, geometry: Geometry, decoded: DecodedImage, *, unread: bool = False
) -> RenderContext:
    """Return the context of ``plan`` for ``decoded``, which may be smaller than the image of ``geometry``.

    ``unread``: a still that has to be read to its end. One that is read by ranges has not: its end would cost requests,
    and ingest has decoded it.
    """
    first = decoded.frames[0]
    geometry = geometry.for_stored_size(Size(first.width, first.height))
    context = RenderContext(
        plan, TARGET_FORMATS[plan.format], geometry, decoded.frames, decoded.delays_ms, decoded.loop
    )
    context.touched = decoded.modified
    context.cicp = None if header.has_profile else header.cicp
    context.unread = first if unread else None
    return context


def encode_result(context: RenderContext, source: Source, header: Header, timer: StageTimer) -> RenderedImage:
    """Run the edit steps on ``context`` and encode its image."""
    with source.decoding() if context.is_streamed else internal_errors():
        run_steps(EDIT_STEPS, context)
        timer.stop("transform")
        form, body = encode_output(context, source, header)
    timer.stop("encode")
    frame = context.frames[0]
    return RenderedImage(body, form.content_type, frame.width, frame.height, len(context.frames), timer.timings_ms)


@contextmanager
def internal_errors() -> Iterator[None]:
    """Convert errors of libvips to DarkroomError, where no part of the source is left to read."""
    try:
        yield
    except pyvips.Error as error:
        raise DarkroomError(detail=str(error)) from error
