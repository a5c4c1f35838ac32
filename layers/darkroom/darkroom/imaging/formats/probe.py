"""Recognise the format of a source by its first bytes, read its header, and enforce the limits before decoding."""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType

from ...errors import DamagedSource, OverLimits, TypeNotAllowed
from ...plan.limits import Limits
from ..source import Patch, Source
from .image_format import Cicp, Header, Signature
from .registry import SOURCE_FORMATS, SUPPORTED

_REFUSED: tuple[tuple[str, Signature], ...] = (
    ("a PDF document", Signature(b"%PDF")),
    ("a PostScript document", Signature(b"%!PS")),
    ("an OpenEXR image", Signature(b"\x76\x2f\x31\x01")),
    ("a Windows icon", Signature(b"\0\0\1\0")),
    ("a Windows cursor", Signature(b"\0\0\2\0")),
    ("a JPEG 2000 image", Signature(b"\0\0\0\x0cjP  ")),
    ("a JPEG 2000 image", Signature(b"\xff\x4f\xff\x51")),
    ("a JPEG XL image", Signature(b"\xff\x0a")),
    ("a JPEG XL image", Signature(b"\0\0\0\x0cJXL ")),
    ("a Windows bitmap", Signature(b"BM")),
    ("a Photoshop document", Signature(b"8BPS")),
    ("a Radiance image", Signature(b"#?RADIANCE")),
    ("a camera raw file", Signature(b"II\x2a\0", b"CR", 8)),
    ("a camera raw file", Signature(b"IIRO")),
    ("a camera raw file", Signature(b"IIU\0")),
    ("a camera raw file", Signature(b"FUJIFILMCCD-RAW")),
    ("an AVI video", Signature(b"RIFF", b"AVI ", 8)),
    ("a WAVE sound", Signature(b"RIFF", b"WAVE", 8)),
    ("a Matroska or WebM video", Signature(b"\x1a\x45\xdf\xa3")),
    ("a Flash video", Signature(b"FLV\1")),
    ("an MPEG video", Signature(b"\0\0\1\xba")),
    ("an MPEG video", Signature(b"\0\0\1\xb3")),
    ("an Ogg file", Signature(b"OggS")),
    ("an MP3 sound", Signature(b"ID3")),
    ("a gzip file", Signature(b"\x1f\x8b")),
    ("a ZIP archive", Signature(b"PK\3\4")),
    ("a program", Signature(b"\x7fELF")),
    ("a program", Signature(b"MZ")),
)
"""Types that are refused, and how they start. Camera raw files start as TIFFs do: these come first."""

HELD_STRIPS = 2
"""libvips caches two rows of tiles, and libtiff decodes one strip beside the lines that are being read."""
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
_BRAND_NAMES = {b"qt  ": "a QuickTime video", b"crx ": "a camera raw file", b"jp2 ": "a JPEG 2000 image"}

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_BEFORE_ROOT = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>|\s+)*", re.DOTALL)
_SVG_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?svg[\s>/]")
_HTML_ROOT = re.compile(r"<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)


def sniff(head: bytes) -> str:
    """Return the name of the source format whose first few KB are ``head``; raise TypeNotAllowed, which names the type.

    HEIF files that do not name their codec count as ``heic``; the header reader examines them.
    """
    for name, signature in _REFUSED:
        if _matches(head, signature):
            raise _refusal(name)
    for one in SOURCE_FORMATS.values():
        if any(_matches(head, signature) for signature in one.signatures):
            return one.name
    if head[4:8] == b"ftyp":
        return _sniff_brand(head)
    return _sniff_root(head)


def _matches(head: bytes, signature: Signature) -> bool:
    return head.startswith(signature.start) and head.startswith(signature.inner, signature.at)


def _sniff_brand(head: bytes) -> str:
    size = min(int.from_bytes(head[:4]), len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & _AVIF_BRANDS and major not in _HEIC_BRANDS:
        return "avif"
    if brands & (_HEIC_BRANDS | _HEIF_BRANDS):
        return "heic"
    raise _refusal(_BRAND_NAMES.get(major, "an MP4 video"))


def _sniff_root(head: bytes) -> str:
    text = head.removeprefix(_UTF8_MARK).decode(_UTF16_MARKS.get(head[:2], "utf-8"), "replace").lstrip("\ufeff")
    before = _BEFORE_ROOT.match(text)
    start = before.end() if before else 0
    if _SVG_ROOT.match(text, start):
        return "svg"
    if _HTML_ROOT.match(text.lstrip()) or _HTML_ROOT.match(text, start):
        raise _refusal("an HTML page")
    raise _refusal("of a type that is not known here" if head else "empty")


def _refusal(name: str) -> TypeNotAllowed:
    return TypeNotAllowed(f"The source is {name}; served are {SUPPORTED}")


__all__ = ["Cicp", "Header", "check_still", "estimate_decoder_bytes", "find_patches", "is_lossless", "probe"]


def probe(
    source: Source,
    limits: Limits,
    *,
    page: int = 0,
    animated: bool = True,
    partial: bool = False,
    in_strips: bool = False,
) -> Header:
    """Return the header of ``source``; of a TIFF, that of ``page`` (from 0).

    Unless ``animated``, one frame is going to be read and only its pixels count. ``partial``: of a pyramid only what is
    needed is going to be read, so that it may be a large image; the reader checks the pixels. ``in_strips``: the whole
    image is going to be read from the top to the bottom, and never held as a whole. Raise TypeNotAllowed,
    OverLimits (with the number and the limit), DamagedSource, or what the stream raised.
    """
    _check_bytes(source.size_bytes, limits.max_scene_bytes if partial and source.is_ranged else limits.max_bytes)
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
        _check_memory(header, limits, _count_rows(source, header, page) if in_strips else None)
    limits = limits.for_scenes if large else limits
    _check_pixels(header, limits, header.frames if animated and header.animated else 1)
    return header


def check_still(header: Header, size_bytes: int, limits: Limits) -> None:
    """Raise OverLimits as :func:`probe` does for a still of ``size_bytes`` with this header."""
    _check_bytes(size_bytes, limits.max_bytes)
    _check_memory(header, limits)
    _check_pixels(header, limits, 1)


def _check_bytes(size_bytes: int, max_bytes: int) -> None:
    if size_bytes > max_bytes:
        raise OverLimits(f"The source has {size_bytes:,} bytes; the limit is {max_bytes:,}", applies_to_source=True)


def _is_large_pyramid(source: Source, header: Header, limits: Limits, page: int) -> bool:
    """Return whether the image in full is over the limits, but has smaller versions."""
    if header.format != "tiff" or header.width * header.height <= limits.max_pixels:
        return False
    from .tiff.probe import find_page

    return bool(find_page(source, page).shrinks)


def find_patches(source: Source, form: str, page: int = 0) -> list[Patch]:
    """Return changes to ``source`` for its decoder alone, where metadata would cost time or make it refuse the pixels.

    EXIF is hidden: libvips passes each block to libexif as it opens a file, and libexif follows directories that lead
    back to themselves: a block of 1,200 bytes takes 17 s. The orientation comes from
    :func:`.image_format.read_orientation`, and no encoder writes EXIF. TIFF directories lose the tags that no pixel
    depends on, and scans of a sequential JPEG get the only parameters that they can have: libtiff and libjpeg warn of
    both as of damaged pixels. ``page`` is that of a TIFF. Raise what the stream raised.
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


def estimate_decoder_bytes(header: Header, rows: int | None = None) -> int:
    """Return the most memory that decoding one frame or page, or ``rows`` of it, takes, besides the file."""
    return int(SOURCE_FORMATS[header.format].memory.per_pixel(header) * header.width * (rows or header.height))


def _count_rows(source: Source, header: Header, page: int) -> int:
    """Return how many rows are in memory while an image is read from the top: two rows of tiles, or two strips."""
    if not SOURCE_FORMATS[header.format].memory.by_rows:
        return header.height
    return min(header.height, HELD_STRIPS * int(_import_probe(header.format).read_rows(source, page)))


def _import_probe(form: str) -> ModuleType:
    """Import the ``probe`` module of one format: all together take as long as reading a hundred headers."""
    return import_module(f".{SOURCE_FORMATS[form].package}.probe", __package__)


def _check_memory(header: Header, limits: Limits, rows: int | None = None) -> None:
    needed = estimate_decoder_bytes(header, rows)
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
