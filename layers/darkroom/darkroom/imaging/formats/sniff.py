"""Recognise the format of a source by its first bytes, never by its name."""

from __future__ import annotations

import re

from ...errors import TypeNotAllowed
from .image_format import Signature
from .registry import SOURCE_FORMATS, SUPPORTED

_REFUSED: tuple[tuple[str, Signature], ...] = (
    ("a PDF document", Signature(b"%PDF")),
    ("a PostScript document", Signature(b"%!PS")),
    ("an OpenEXR picture", Signature(b"\x76\x2f\x31\x01")),
    ("a Windows icon", Signature(b"\0\0\1\0")),
    ("a Windows cursor", Signature(b"\0\0\2\0")),
    ("a JPEG 2000 picture", Signature(b"\0\0\0\x0cjP  ")),
    ("a JPEG 2000 picture", Signature(b"\xff\x4f\xff\x51")),
    ("a JPEG XL picture", Signature(b"\xff\x0a")),
    ("a JPEG XL picture", Signature(b"\0\0\0\x0cJXL ")),
    ("a Windows bitmap", Signature(b"BM")),
    ("a Photoshop document", Signature(b"8BPS")),
    ("a Radiance picture", Signature(b"#?RADIANCE")),
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
