"""The last decision: which type a finished picture becomes, and that it is never larger than its source."""

from __future__ import annotations

from dataclasses import dataclass

from ...plan.model import AUTO_QUALITY, Quality
from ..formats.encode import DEFAULT_QUALITY, EncodableImage, encode, encode_lossless, is_drawing
from ..formats.probe import Header
from ..formats.registry import OUTPUT_FORMATS, OutputFormat
from ..source import Source
from .context import RenderContext

MIN_QUALITY = 10
"""How far quality goes down so that a picture is no larger than its source."""

DRAWING_FORMATS = ("png", "gif", "svg", "tiff", "webp")
"""Sources that may be drawings. A JPEG of a drawing is no longer flat."""


@dataclass(frozen=True, slots=True)
class LosslessAlternative:
    """For drawings: the lossless type that is taken where it is no larger than the lossy one."""

    lossless: OutputFormat
    lossy: OutputFormat


LOSSLESS_ALTERNATIVES: dict[str, LosslessAlternative] = {
    "webp": LosslessAlternative(OUTPUT_FORMATS["webp"], OUTPUT_FORMATS["webp"]),
    "auto-webp": LosslessAlternative(OUTPUT_FORMATS["webp"], OUTPUT_FORMATS["webp"]),
    "auto-avif": LosslessAlternative(OUTPUT_FORMATS["webp"], OUTPUT_FORMATS["webp"]),
    "auto-legacy": LosslessAlternative(OUTPUT_FORMATS["png"], OUTPUT_FORMATS["jpeg"]),
    "auto": LosslessAlternative(OUTPUT_FORMATS["png"], OUTPUT_FORMATS["jpeg"]),
}
"""By the plan's format. AVIF is compared by WebP's size, which is known in a tenth of the time."""


def encode_output(context: RenderContext, source: Source, header: Header) -> tuple[OutputFormat, bytes]:
    """The finished picture's type and bytes."""
    press = _Output(
        context, source, header, EncodableImage.from_frames(context.frames, context.delays_ms, context.loop)
    )
    if context.target.format is OUTPUT_FORMATS["gif"] and (cleaned := press.strip_source(OUTPUT_FORMATS["gif"])):
        return OUTPUT_FORMATS["gif"], cleaned  # its palette is as good as can be, a new one takes time and loses
    form, body = press.encode()
    return form, press.cap_at_max_bytes(form, press.cap_at_source_size(form, body))


@dataclass(frozen=True, slots=True)
class _Output:
    """A finished picture and where it came from."""

    context: RenderContext
    source: Source
    header: Header
    sheet: EncodableImage

    def encode(self) -> tuple[OutputFormat, bytes]:
        """The type that the plan and the picture ask for, and the bytes."""
        image, frames = self.sheet.image, self.sheet.frames
        form = self.context.target.choose(transparent=image.hasalpha(), frames=frames, pixels=self.sheet.pixels)
        if self.context.is_streamed or self.header.format not in DRAWING_FORMATS or not is_drawing(image):
            return form, self._encode(form, self.context.plan.quality)
        if form.name == "png":
            return form, encode_lossless(self.sheet, form, self.context.effort)
        rivals = LOSSLESS_ALTERNATIVES.get(self.context.plan.format)
        if rivals is None or (frames > 1 and not rivals.lossless.animated):
            return form, self._encode(form, self.context.plan.quality)
        lossless = encode_lossless(self.sheet, rivals.lossless, self.context.effort)
        lossy = self._encode(rivals.lossy, self.context.plan.quality)
        if len(lossless) <= len(lossy):
            return rivals.lossless, lossless
        return form, lossy if form == rivals.lossy else self._encode(form, self.context.plan.quality)

    def cap_at_source_size(self, form: OutputFormat, body: bytes) -> bytes:
        """``body``, or a smaller one where the source has the same type and size and fewer bytes.

        The source itself, cleaned without loss, where no pixel was touched. Else a lower quality. A lossless format
        whose pixels were changed has nothing to give: it may be larger.
        """
        if not self._matches_source(form):
            return body
        cleaned = None if self.context.plan.baseline else self.strip_source(form)
        if cleaned is not None and len(cleaned) <= len(body):
            return cleaned
        if form.lossless or self.context.is_streamed:
            return body
        limit_bytes = len(self.source.read_all())
        wanted = self.context.plan.quality
        quality = wanted if isinstance(wanted, int) else DEFAULT_QUALITY
        while len(body) > limit_bytes and (quality := quality * 3 // 4) >= MIN_QUALITY:
            body = self._encode(form, quality)
        return body

    def cap_at_max_bytes(self, form: OutputFormat, body: bytes) -> bytes:
        """``body``, or the best by a lower quality that has no more than the plan's bytes.

        Where none has, that of the least quality: it is the floor of imgproxy too (``save_fit_bytes.go``). A lossless
        format has nothing to give.
        """
        most = self.context.plan.max_bytes
        if not most or len(body) <= most or form.lossless:
            return body
        wanted = self.context.plan.quality
        low, high = MIN_QUALITY, wanted if isinstance(wanted, int) else DEFAULT_QUALITY
        from ..quality.search import find_largest_within  # few plans limit bytes

        best = find_largest_within(most, low, high, lambda quality: self._encode(form, quality))
        return min(body, best, key=len)

    def strip_source(self, form: OutputFormat) -> bytes | None:
        """The source without metadata, where it is the picture that is wanted, pixel by pixel; else None."""
        if self.context.touched or not self._matches_source(form) or self.sheet.frames != self.header.frames:
            return None
        from ..formats.metadata.strip import strip_metadata  # needed only here

        return strip_metadata(self.source.read_all(), self.header)

    def _matches_source(self, form: OutputFormat) -> bool:
        """Whether the source has this type and the picture's size."""
        frame, header = self.context.frames[0], self.header
        return form.name == header.format and (frame.width, frame.height) == (
            header.upright_width,
            header.upright_height,
        )

    def _encode_auto(self, form: OutputFormat) -> bytes:
        """The bytes by the quality that fits the picture. One that streams can be read only once, and is not judged."""
        if form.lossless or self.context.is_streamed:
            return encode(self.sheet, form, None, self.context.effort, baseline=self.context.plan.baseline)
        from ..quality.auto_quality import encode_auto  # no other quality needs a judge

        return encode_auto(self.sheet, form, self.context.effort, baseline=self.context.plan.baseline).body

    def _encode(self, form: OutputFormat, quality: Quality | None) -> bytes:
        baseline = self.context.plan.baseline
        if quality == AUTO_QUALITY:
            body = self._encode_auto(form)
        else:
            body = encode(self.sheet, form, quality, self.context.effort, baseline=baseline)
        if form.name != "jpeg" or not self.header.gain_map:
            return body
        from .. import gainmap  # few sources have one

        geometry = self.context.geometry
        fits = gainmap.keeps_gain_map(self.context.plan) and geometry.size == geometry.rotated_size
        return gainmap.copy_gain_map(body, self.source, geometry) if fits else body
