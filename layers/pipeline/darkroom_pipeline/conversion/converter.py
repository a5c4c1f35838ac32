"""Check the header of an upload, and convert it in a process of its own."""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass

from darkroom.errors import DamagedSource, OverLimits
from darkroom.imaging.formats.image_format import Header
from darkroom.plan.limits import Limits

from . import ico, sandbox
from .formats import FORMATS, ConvertedFormat
from .sandbox import ProcessLimits

_PROCESS_BYTES = 300_000_000
"""Address space of Python with its libraries."""
_COPIES = 3
"""Of the file: what was read, a stream of it, and the decoder's own."""


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts uploads of the formats ``names`` (:data:`.formats.FORMATS`)."""

    names: Collection[str]
    cpu_s: int = 40
    wall_s: float = 60.0

    def detect_format(self, first_bytes: bytes) -> str:
        """Return the name of the format if it is one of ``names``, else an empty text."""
        for name in self.names:
            for start, inner, at in FORMATS[name].signatures:
                if first_bytes.startswith(start) and first_bytes.startswith(inner, at):
                    return name
        return ""

    def read_header(self, data: bytes, limits: Limits) -> Header | None:
        """Return the header of an upload that is converted; None for other formats.

        Raises TypeNotAllowed, OverLimits or DamagedSource.
        """
        form = FORMATS.get(self.detect_format(data))
        if form is None:
            return None
        try:
            header = form.read_header(data)
        except (LookupError, ValueError, struct.error) as error:
            message = "The source's header is damaged"
            raise DamagedSource(message, detail=f"{form.name}: {error!r}", applies_to_source=True) from error
        _check(header, form, limits)
        return header

    def convert(self, data: bytes, header: Header, limits: Limits) -> bytes:
        """Return a PNG or a JPEG of ``data``, whose header is ``header``.

        Raises DamagedSource, OverLimits, TooSlow or Unavailable.
        """
        if header.format == "ico" and (icon := ico.find_largest(data)).is_png:
            return icon.body
        needed = _PROCESS_BYTES + _COPIES * len(data) + _estimate_bytes(header, FORMATS[header.format])
        process = ProcessLimits(needed, limits.max_bytes, self.cpu_s, self.wall_s)
        return sandbox.run(sandbox.find_worker(header.format), [header.format], data, process)


def _estimate_bytes(header: Header, form: ConvertedFormat) -> int:
    return int(form.bytes_per_pixel(header) * header.width * header.height)


def _check(header: Header, form: ConvertedFormat, limits: Limits) -> None:
    """Raise DamagedSource for a size of nothing, OverLimits for too many pixels or too much memory."""
    if header.width < 1 or header.height < 1:
        raise DamagedSource("The source's header gives it no size", detail=repr(header), applies_to_source=True)
    pixels, needed = header.width * header.height, _estimate_bytes(header, form)
    size = f"{header.width} × {header.height}"
    if pixels > limits.max_pixels:
        message = f"The source has {pixels:,} pixels ({size}); the limit is {limits.max_pixels:,}"
        raise OverLimits(message, applies_to_source=True)
    if needed > limits.max_decoder_bytes:
        message = (
            f"Decoding the source ({header.format}, {size} px) takes up to {needed / 1e6:,.0f} MB; "
            f"the limit is {limits.max_decoder_bytes / 1e6:,.0f} MB"
        )
        raise OverLimits(message, applies_to_source=True)
