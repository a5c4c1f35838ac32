"""Choose the output format, encode, and keep the result no larger than the source or the plan's limit."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...plan.model import AUTO_QUALITY, Quality
from ..formats.encode import EncodableImage, encode, encode_lossless, is_drawing
from ..formats.probe import Header
from ..formats.registry import OUTPUT_FORMATS, SOURCE_FORMATS, TARGET_FORMATS, OutputFormat
from ..source import Source
from .context import RenderContext

MIN_QUALITY = 10
"""The lowest quality used to keep an image no larger than its source."""


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """An encoded image, or data about one.

    ``width`` and ``height`` are those of one frame in px. ``timings_ms`` has the stages ``decode``, ``transform`` and
    ``encode`` (see :func:`darkroom.imaging.render.pipeline.render` for what each covers).
    """

    body: bytes
    content_type: str
    width: int
    height: int
    frames: int = 1
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MezzanineOf:
    """What a mezzanine is: its longer side in px, and the header of its master as text."""

    side_px: int
    master_header: str


def encode_output(context: RenderContext, source: Source, header: Header) -> tuple[OutputFormat, bytes]:
    """Return the format and the bytes of a finished image."""
    output = _Output(
        context, source, header, EncodableImage.from_frames(context.frames, context.delays_ms, context.loop)
    )
    if context.target is TARGET_FORMATS["gif"] and (cleaned := output.strip_source(OUTPUT_FORMATS["gif"])):
        form, body = OUTPUT_FORMATS["gif"], cleaned  # its palette is as good as can be, a new one takes time and loses
    else:
        form, body = output.encode()
        body = output.cap_at_max_bytes(form, output.cap_at_source_size(form, body))
    return form, output.add_rights(form, body)


@dataclass(frozen=True, slots=True)
class _Output:
    """A finished image with its source."""

    context: RenderContext
    source: Source
    header: Header
    encodable: EncodableImage

    def encode(self) -> tuple[OutputFormat, bytes]:
        """Choose the format by plan and content, and encode."""
        image, frames = self.encodable.image, self.encodable.frames
        form = self.context.target.choose(transparent=image.hasalpha(), frames=frames, pixels=self.encodable.pixels)
        may_be_drawing = SOURCE_FORMATS[self.header.format].may_be_drawing and not self.context.is_streamed
        if not may_be_drawing or not is_drawing(image):
            return form, self._encode(form, self.context.plan.quality)
        if form.name == "png":
            return form, encode_lossless(self.encodable, form, self.context.effort)
        drawing = self.context.target.drawing
        if drawing is None or (frames > 1 and not drawing[0].animated):
            return form, self._encode(form, self.context.plan.quality)
        alternative, compared = drawing
        lossless = encode_lossless(self.encodable, alternative, self.context.effort)
        lossy = self._encode(compared, self.context.plan.quality)
        if len(lossless) <= len(lossy):
            return alternative, lossless
        return form, lossy if form is compared else self._encode(form, self.context.plan.quality)

    def cap_at_source_size(self, form: OutputFormat, body: bytes) -> bytes:
        """Return ``body``, or a smaller encode where the source has the same format and size and fewer bytes.

        That is the source without metadata where no pixel was changed, else a lower quality. A lossless format whose
        pixels were changed may be larger.
        """
        if not self._matches_source(form):
            return body
        cleaned = None if self.context.plan.baseline else self.strip_source(form)
        if cleaned is not None and len(cleaned) <= len(body):
            return cleaned
        if form.lossless or self.context.is_streamed:
            return body
        limit_bytes = len(self.source.read_all())
        quality = self._numeric_quality(form)
        while len(body) > limit_bytes and (quality := quality * 3 // 4) >= MIN_QUALITY:
            body = self._encode(form, quality)
        return body

    def cap_at_max_bytes(self, form: OutputFormat, body: bytes) -> bytes:
        """Return ``body``, or the best encode of lower quality within the plan's ``max_bytes``.

        Where none fits, that of the lowest quality, as in imgproxy (``save_fit_bytes.go``). Lossless formats are not
        limited.
        """
        most = self.context.plan.max_bytes
        if not most or form.lossless:
            return body
        most -= len(self.add_rights(form, body)) - len(body)
        if len(body) <= most:
            return body
        from ..quality.search import find_largest_within  # few plans limit bytes

        high = self._numeric_quality(form)
        best = find_largest_within(most, MIN_QUALITY, high, lambda quality: self._encode(form, quality))
        return min(body, best, key=len)

    def add_rights(self, form: OutputFormat, body: bytes) -> bytes:
        """Return ``body`` with the rights of the image, if the plan has them in the file."""
        if not self.context.rights:
            return body
        from ..formats.metadata.locate import embed_rights  # few deployments write them

        return embed_rights(body, form.name, self.context.rights)

    def strip_source(self, form: OutputFormat) -> bytes | None:
        """Return the source without metadata, where it has the wanted pixels; else None."""
        if self.context.touched or not self._matches_source(form) or self.encodable.frames != self.header.frames:
            return None
        from ..formats.metadata.locate import strip_metadata  # needed only here

        return strip_metadata(self.source.read_all(), self.header)

    def _matches_source(self, form: OutputFormat) -> bool:
        """Return whether the source has this format and the size of the image."""
        frame, header = self.context.frames[0], self.header
        return form.name == header.format and (frame.width, frame.height) == (
            header.upright_width,
            header.upright_height,
        )

    def _encode_auto(self, form: OutputFormat) -> bytes:
        """Encode with ``q=auto``. A streamed image can be read only once, and is encoded with the default quality."""
        if form.lossless or self.context.is_streamed:
            return self._encode_at(form, self.context.default_quality.of(form.name))
        from ..quality.auto_quality import encode_auto  # no other quality needs a judge

        effort, baseline, default = self.context.effort, self.context.plan.baseline, self.context.default_quality
        return encode_auto(self.encodable, form, effort, baseline=baseline, default_quality=default).body

    def _encode_at(self, form: OutputFormat, quality: int) -> bytes:
        return encode(self.encodable, form, quality, self.context.effort, baseline=self.context.plan.baseline)

    def _numeric_quality(self, form: OutputFormat) -> int:
        """Return the quality of the plan, the default for ``form`` if it has none or ``auto``."""
        wanted = self.context.plan.quality
        return wanted if isinstance(wanted, int) else self.context.default_quality.of(form.name)

    def _encode(self, form: OutputFormat, quality: Quality | None) -> bytes:
        if quality == AUTO_QUALITY:
            body = self._encode_auto(form)
        else:
            body = self._encode_at(form, quality or self.context.default_quality.of(form.name))
        if form.name != "jpeg" or not self.header.gain_map:
            return body
        from . import hdr  # few sources have one

        geometry = self.context.geometry
        fits = hdr.keeps_gain_map(self.context.plan) and geometry.size == geometry.rotated_size
        return hdr.copy_gain_map(body, self.source, geometry) if fits else body
