"""The door: a picture's type and size, from its header alone, checked against the limits before anything is decoded."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ...errors import DamagedSource, OverLimits
from ...plan.limits import Limits
from ..source import Source
from .decoder_memory import estimate_decoder_bytes
from .header import Cicp, Header
from .sniff import sniff

__all__ = ["Cicp", "Header", "probe"]

type HeaderReader = Callable[[Source, int], Header]

_PACKAGES = {"avif": "bmff", "heic": "bmff"}
"""The package that reads a format, where it is not named after it. Only the one needed is imported:
together they take as long as reading a hundred headers."""


def probe(source: Source, limits: Limits, *, page: int = 0, animated: bool = True, partial: bool = False) -> Header:
    """The header of ``source``.

    Of a TIFF it is that of ``page`` (from 0). Unless ``animated``, one frame is going to be read and only its pixels
    count. ``in_part``: of a pyramid only what is needed is going to be read, so that it may be a scene; who reads
    counts. Raises TypeNotAllowed, OverLimits (which says the number and the limit), Damaged, or what the stream raised.
    """
    max_bytes = limits.max_scene_bytes if partial and source.is_ranged else limits.max_bytes
    if source.size_bytes > max_bytes:
        raise OverLimits(
            f"The source has {source.size_bytes:,} bytes; the limit is {max_bytes:,}", applies_to_source=True
        )
    form = sniff(source.read_head())
    try:
        header = _load_reader(form)(source, page)
    except (ArithmeticError, LookupError, ValueError) as error:
        message = "The source's header is damaged"
        raise DamagedSource(message, detail=f"{form}: {error!r}", applies_to_source=page == 0) from error
    if header.width < 1 or header.height < 1:
        raise DamagedSource("The source's header gives it no size", detail=repr(header), applies_to_source=page == 0)
    large = partial and _is_large_pyramid(source, header, limits, page)
    if not large:
        _check_memory(header, limits)
    limits = limits.for_scenes if large else limits
    _check_pixels(header, limits, header.frames if animated and header.animated else 1)
    return header


def _is_large_pyramid(source: Source, header: Header, limits: Limits, page: int) -> bool:
    """Whether it is over the limits in full, but has smaller versions."""
    if header.format != "tiff" or header.width * header.height <= limits.max_pixels:
        return False
    from .tiff import probe

    return bool(probe.find_page(source, page).shrinks)


def _load_reader(form: str) -> HeaderReader:
    reader: HeaderReader = import_module(f".{_PACKAGES.get(form, form)}.probe", __package__).read_header
    return reader


def _check_memory(header: Header, limits: Limits) -> None:
    needed = estimate_decoder_bytes(header)
    if header.width * header.height <= limits.max_pixels and needed > limits.max_decoder_bytes:
        size = f"{header.width} × {header.height} px"
        raise OverLimits(
            f"Decoding the source ({header.format}, {size}) takes up to {needed / 1e6:,.0f} MB; "
            f"the limit is {limits.max_decoder_bytes / 1e6:,.0f} MB",
            applies_to_source=header.frames == 1 or header.animated,
        )


def _check_pixels(header: Header, limits: Limits, frames_read: int) -> None:
    if header.frames > limits.max_frames:
        message = f"The source has {header.frames:,} frames; the limit is {limits.max_frames:,}"
        raise OverLimits(message, applies_to_source=True)
    pixels = header.width * header.height * frames_read
    if pixels > limits.max_pixels:
        size = f"{header.width} × {header.height}" + (f" × {frames_read} frames" if frames_read > 1 else "")
        message = f"The source has {pixels:,} pixels ({size}); the limit is {limits.max_pixels:,}"
        # Pages of a document differ in size, and a still of an animation reads one frame.
        one_frame = header.frames == 1 or header.animated
        raise OverLimits(message, applies_to_source=one_frame and header.width * header.height > limits.max_pixels)
