"""The type of a picture by its first bytes, never by its name."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import TypeNotAllowed
from ...plan.model import SOURCE_FORMATS

"""Types that are let in, as named by :func:`sniff`."""


class _Signature(NamedTuple):
    """A type that starts with ``start`` and, where given, has ``inner`` at byte ``at``."""

    name: str
    start: bytes
    inner: bytes = b""
    at: int = 0


_SUPPORTED = (
    _Signature("jpeg", b"\xff\xd8\xff"),
    _Signature("png", b"\x89PNG\r\n\x1a\n"),
    _Signature("webp", b"RIFF", b"WEBP", 8),
    _Signature("gif", b"GIF87a"),
    _Signature("gif", b"GIF89a"),
)

_REFUSED = (
    _Signature("a PDF document", b"%PDF"),
    _Signature("a PostScript document", b"%!PS"),
    _Signature("an OpenEXR picture", b"\x76\x2f\x31\x01"),
    _Signature("a Windows icon", b"\0\0\1\0"),
    _Signature("a Windows cursor", b"\0\0\2\0"),
    _Signature("a JPEG 2000 picture", b"\0\0\0\x0cjP  "),
    _Signature("a JPEG 2000 picture", b"\xff\x4f\xff\x51"),
    _Signature("a JPEG XL picture", b"\xff\x0a"),
    _Signature("a JPEG XL picture", b"\0\0\0\x0cJXL "),
    _Signature("a Windows bitmap", b"BM"),
    _Signature("a Photoshop document", b"8BPS"),
    _Signature("a Radiance picture", b"#?RADIANCE"),
    _Signature("a camera raw file", b"II\x2a\0", b"CR", 8),
    _Signature("a camera raw file", b"IIRO"),
    _Signature("a camera raw file", b"IIU\0"),
    _Signature("a camera raw file", b"FUJIFILMCCD-RAW"),
    _Signature("an AVI video", b"RIFF", b"AVI ", 8),
    _Signature("a WAVE sound", b"RIFF", b"WAVE", 8),
    _Signature("a Matroska or WebM video", b"\x1a\x45\xdf\xa3"),
    _Signature("a Flash video", b"FLV\1"),
    _Signature("an MPEG video", b"\0\0\1\xba"),
    _Signature("an MPEG video", b"\0\0\1\xb3"),
    _Signature("an Ogg file", b"OggS"),
    _Signature("an MP3 sound", b"ID3"),
    _Signature("a gzip file", b"\x1f\x8b"),
    _Signature("a ZIP archive", b"PK\3\4"),
    _Signature("a program", b"\x7fELF"),
    _Signature("a program", b"MZ"),
)

_TIFF = tuple(_Signature("tiff", start) for start in (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"))
"""After the camera raw files, which start alike."""

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
_BRAND_NAMES = {b"qt  ": "a QuickTime video", b"crx ": "a camera raw file", b"jp2 ": "a JPEG 2000 picture"}

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_BEFORE_ROOT = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>|\s+)*", re.DOTALL)
_SVG_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?svg[\s>/]")
_HTML_ROOT = re.compile(r"<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)


def sniff(head: bytes) -> str:
    """One of :data:`SOURCE_FORMATS` for the first few KB of a file; raises TypeNotAllowed, which names what it is.

    HEIF files that do not say by which codec they are coded count as ``heic``; the header reader looks closer.
    """
    for magic in (*_SUPPORTED, *_REFUSED, *_TIFF):
        if head.startswith(magic.start) and head.startswith(magic.inner, magic.at):
            if magic.name in SOURCE_FORMATS:
                return magic.name
            raise _refusal(magic.name)
    if head[4:8] == b"ftyp":
        return _sniff_brand(head)
    return _sniff_root(head)


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
    return TypeNotAllowed(f"The source is {name}; served are JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF and SVG")
