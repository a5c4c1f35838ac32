"""The last decision: which type a finished picture becomes, and that it is never larger than its source."""

from __future__ import annotations

from dataclasses import dataclass

from ..plan.model import AUTO, Quality
from .formats.encode import DEFAULT_QUALITY, EncodableImage, encode, encode_lossless, is_drawing
from .formats.probe import Header
from .formats.registry import OUTPUT_FORMATS, OutputFormat
from .source import Source
from .work import Work

LEAST_QUALITY = 10
"""How far quality goes down so that a picture is no larger than its source."""

DRAWN = ("png", "gif", "svg", "tiff", "webp")
"""Sources that may be drawings. A JPEG of a drawing is no longer flat."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """For drawings: the lossless type that is taken where it is no larger than the lossy one."""

    lossless: OutputFormat
    lossy: OutputFormat


RIVALS: dict[str, Rivals] = {
    "webp": Rivals(OUTPUT_FORMATS["webp"], OUTPUT_FORMATS["webp"]),
    "auto-webp": Rivals(OUTPUT_FORMATS["webp"], OUTPUT_FORMATS["webp"]),
    "auto-avif": Rivals(OUTPUT_FORMATS["webp"], OUTPUT_FORMATS["webp"]),
    "auto-legacy": Rivals(OUTPUT_FORMATS["png"], OUTPUT_FORMATS["jpeg"]),
    "auto": Rivals(OUTPUT_FORMATS["png"], OUTPUT_FORMATS["jpeg"]),
}
"""By the plan's format. AVIF is compared by WebP's size, which is known in a tenth of the time."""


def printed(work: Work, source: Source, header: Header) -> tuple[OutputFormat, bytes]:
    """The finished picture's type and bytes."""
    press = _Press(work, source, header, EncodableImage.from_frames(work.frames, work.delays_ms, work.loop))
    if work.target.format is OUTPUT_FORMATS["gif"] and (cleaned := press.cleaned(OUTPUT_FORMATS["gif"])):
        return OUTPUT_FORMATS["gif"], cleaned  # its palette is as good as can be, a new one takes time and loses
    form, body = press.printed()
    return form, press.within(form, press.no_larger(form, body))


@dataclass(frozen=True, slots=True)
class _Press:
    """A finished picture and where it came from."""

    work: Work
    source: Source
    header: Header
    sheet: EncodableImage

    def printed(self) -> tuple[OutputFormat, bytes]:
        """The type that the plan and the picture ask for, and the bytes."""
        image, frames = self.sheet.image, self.sheet.frames
        form = self.work.target.choose(transparent=image.hasalpha(), frames=frames, pixels=self.sheet.pixels)
        if self.work.streams or self.header.format not in DRAWN or not is_drawing(image):
            return form, self._encoded(form, self.work.plan.quality)
        if form.name == "png":
            return form, encode_lossless(self.sheet, form, self.work.pace)
        rivals = RIVALS.get(self.work.plan.format)
        if rivals is None or (frames > 1 and not rivals.lossless.animated):
            return form, self._encoded(form, self.work.plan.quality)
        lossless = encode_lossless(self.sheet, rivals.lossless, self.work.pace)
        lossy = self._encoded(rivals.lossy, self.work.plan.quality)
        if len(lossless) <= len(lossy):
            return rivals.lossless, lossless
        return form, lossy if form == rivals.lossy else self._encoded(form, self.work.plan.quality)

    def no_larger(self, form: OutputFormat, body: bytes) -> bytes:
        """``body``, or a smaller one where the source has the same type and size and fewer bytes.

        The source itself, cleaned without loss, where no pixel was touched. Else a lower quality. A lossless format
        whose pixels were changed has nothing to give: it may be larger.
        """
        if not self._same(form):
            return body
        cleaned = None if self.work.plan.baseline else self.cleaned(form)
        if cleaned is not None and len(cleaned) <= len(body):
            return cleaned
        if form.lossless or self.work.streams:
            return body
        limit_bytes = len(self.source.read_all())
        wanted = self.work.plan.quality
        quality = wanted if isinstance(wanted, int) else DEFAULT_QUALITY
        while len(body) > limit_bytes and (quality := quality * 3 // 4) >= LEAST_QUALITY:
            body = self._encoded(form, quality)
        return body

    def within(self, form: OutputFormat, body: bytes) -> bytes:
        """``body``, or the best by a lower quality that has no more than the plan's bytes.

        Where none has, that of the least quality: it is the floor of imgproxy too (``save_fit_bytes.go``). A lossless
        format has nothing to give.
        """
        most = self.work.plan.max_bytes
        if not most or len(body) <= most or form.lossless:
            return body
        wanted = self.work.plan.quality
        low, high = LEAST_QUALITY, wanted if isinstance(wanted, int) else DEFAULT_QUALITY
        best = self._encoded(form, min(low, high))
        while high - low > 1:
            quality = (low + high) // 2
            made = self._encoded(form, quality)
            if len(made) <= most:
                low, best = quality, made
            else:
                high = quality
        return min(body, best, key=len)

    def cleaned(self, form: OutputFormat) -> bytes | None:
        """The source without metadata, where it is the picture that is wanted, pixel by pixel; else None."""
        if self.work.touched or not self._same(form) or self.sheet.frames != self.header.frames:
            return None
        from .formats.metadata.strip import strip_metadata  # needed only here

        return strip_metadata(self.source.read_all(), self.header)

    def _same(self, form: OutputFormat) -> bool:
        """Whether the source has this type and the picture's size."""
        frame, header = self.work.frames[0], self.header
        return form.name == header.format and (frame.width, frame.height) == (
            header.upright_width,
            header.upright_height,
        )

    def _chosen(self, form: OutputFormat) -> bytes:
        """The bytes by the quality that fits the picture. One that streams can be read only once, and is not judged."""
        if form.lossless or self.work.streams:
            return encode(self.sheet, form, None, self.work.pace, baseline=self.work.plan.baseline)
        from .choosing import chosen  # no other quality needs a judge

        return chosen(self.sheet, form, self.work.pace, baseline=self.work.plan.baseline).body

    def _encoded(self, form: OutputFormat, quality: Quality | None) -> bytes:
        baseline = self.work.plan.baseline
        if quality == AUTO:
            body = self._chosen(form)
        else:
            body = encode(self.sheet, form, quality, self.work.pace, baseline=baseline)
        if form.name != "jpeg" or not self.header.gain_map:
            return body
        from . import gainmap  # few sources have one

        geometry = self.work.geometry
        fits = gainmap.keeps_gain_map(self.work.plan) and geometry.size == geometry.rotated_size
        return gainmap.copy_gain_map(body, self.source, geometry) if fits else body
