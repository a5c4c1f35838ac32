"""Probe the format and dimensions of a source from its header, and enforce the limits before anything is decoded."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ...errors import DamagedSource, OverLimits
from ...plan.limits import Limits
from ..source import Patch, Source
from .header import Cicp, Header
from .registry import SOURCE_FORMATS
from .sniff import sniff

__all__ = ["Cicp", "Header", "estimate_decoder_bytes", "find_patches", "is_lossless", "probe"]


def probe(source: Source, limits: Limits, *, page: int = 0, animated: bool = True, partial: bool = False) -> Header:
    """Return the header of ``source``; of a TIFF, that of ``page`` (from 0).

    Unless ``animated``, one frame is going to be read and only its pixels count. ``partial``: of a pyramid only what is
    needed is going to be read, so that it may be a large image; the reader checks the pixels. Raise TypeNotAllowed,
    OverLimits (with the number and the limit), DamagedSource, or what the stream raised.
    """
    max_bytes = limits.max_scene_bytes if partial and source.is_ranged else limits.max_bytes
    if source.size_bytes > max_bytes:
        raise OverLimits(
            f"The source has {source.size_bytes:,} bytes; the limit is {max_bytes:,}", applies_to_source=True
        )
    form = sniff(source.read_head())
    try:
        header: Header = _import_probe(form).read_header(source, page)
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
    """Return whether the image in full is over the limits, but has smaller versions."""
    if header.format != "tiff" or header.width * header.height <= limits.max_pixels:
        return False
    from .tiff.probe import find_page

    return bool(find_page(source, page).shrinks)


def find_patches(source: Source, form: str, page: int = 0) -> list[Patch]:
    """Return changes to ``source`` for its decoder alone, where metadata would cost time or make it refuse the pixels.

    EXIF is hidden: libvips passes each block to libexif as it opens a file, and libexif follows directories that lead
    back to themselves: a block of 1,200 bytes takes 17 s. The orientation comes from :mod:`.metadata.orientation`, and
    no encoder writes EXIF. TIFF directories lose the tags that no pixel depends on, and scans of a sequential JPEG get
    the only parameters that they can have: libtiff and libjpeg warn of both as of damaged pixels. ``page`` is that of a
    TIFF. Raise what the stream raised.
    """
    if not SOURCE_FORMATS[form].patched:
        return []
    try:
        return list(_import_probe(form).find_patches(source, page))
    except (LookupError, ValueError):  # the decoder finds the same damage, or reads on behind it
        return []


def is_lossless(source: Source, header: Header) -> bool:
    """Return whether ``source`` was encoded without loss. A TIFF does not count: most hold scans of photographs."""
    lossless = SOURCE_FORMATS[header.format].lossless
    return bool(_import_probe(header.format).is_lossless(source)) if lossless is None else lossless


def estimate_decoder_bytes(header: Header) -> int:
    """Return the most memory that decoding one frame or page takes, besides the file."""
    return int(SOURCE_FORMATS[header.format].memory.per_pixel(header) * header.width * header.height)


def _import_probe(form: str) -> ModuleType:
    """Import the ``probe`` module of one format: all together take as long as reading a hundred headers."""
    return import_module(f".{SOURCE_FORMATS[form].package}.probe", __package__)


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
