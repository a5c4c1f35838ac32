"""Where each format carries its blocks of metadata."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from ..bmff import container as bmff
from ..gif import container as gif
from ..jpeg.container import APP1, APP13, EXIF, XMP, segments
from ..png import container as png
from ..tiff.container import Tiff
from ..webp import container as webp
from .iptc import resources

MAX_BLOCK_BYTES = 4 * 1024 * 1024
"""Longer ones hold pictures or histories, and are left alone."""
_PHOTOSHOP = b"Photoshop 3.0\0"
_PNG_XMP = b"XML:com.adobe.xmp\0"
_GIF_XMP = b"XMP DataXMP"
_GIF_XMP_END = b"\x01\xff\xfe"
"""XMP lies in a GIF without sub-blocks; 258 bytes behind it lead readers of sub-blocks out."""
_TIFF_XMP, _TIFF_IIM, _TIFF_PHOTOSHOP = 700, 33723, 34377


@dataclass(frozen=True, slots=True)
class Blocks:
    """The first of each, bare; empty where there is none. Of a TIFF, ``exif`` is the whole file."""

    exif: bytes = b""
    xmp: bytes = b""
    iim: bytes = b""
    iim_digest: bytes = b""


def blocks_of(data: bytes, form: str) -> Blocks:
    """The blocks in a file of the format ``form``; raises ValueError, LookupError or zlib.error where it is broken."""
    return _FINDERS[form](data)


def _in_jpeg(data: bytes) -> Blocks:
    exif = xmp = photoshop = b""
    for part in segments(lambda at, length: data[at : at + length]):
        body = data[part.body : part.end]
        if part.marker == APP1 and body.startswith(EXIF):
            exif = exif or body[len(EXIF) + 1 :]
        elif part.marker == APP1 and body.startswith(XMP):
            xmp = xmp or body[len(XMP) :]
        elif part.marker == APP13 and body.startswith(_PHOTOSHOP):
            photoshop += body[len(_PHOTOSHOP) :]
    return Blocks(exif, xmp, *resources(photoshop))


def _in_png(data: bytes) -> Blocks:
    exif = xmp = b""
    for part in png.chunks(data):
        body = data[part.body : part.end - 4]
        if part.name == b"eXIf":
            exif = exif or body
        elif part.name == b"iTXt" and body.startswith(_PNG_XMP):
            xmp = xmp or _international_text(body[len(_PNG_XMP) :])
    return Blocks(exif, xmp)


def _international_text(body: bytes) -> bytes:
    """The text of an `iTXt` chunk after its keyword: flag, method, language, keyword in that language, text."""
    _, _, text = body[2:].split(b"\0", 2)
    if body[0] == 0:
        return text
    unpacked = zlib.decompressobj()
    found = unpacked.decompress(text, MAX_BLOCK_BYTES)
    return found if unpacked.eof else b""


def _in_webp(data: bytes) -> Blocks:
    found = {
        part.name: data[part.body : part.body + part.size]
        for part in webp.chunks(lambda at, length: data[at : at + length])
        if part.name in (b"EXIF", b"XMP ")
    }
    return Blocks(found.get(b"EXIF", b"").removeprefix(EXIF + b"\0"), found.get(b"XMP ", b""))


def _in_gif(data: bytes) -> Blocks:
    for block in gif.blocks(data):
        body = data[block.start + 3 : block.end]
        if block.label == gif.APPLICATION and body.startswith(_GIF_XMP):
            return Blocks(xmp=body[len(_GIF_XMP) :].partition(_GIF_XMP_END)[0])
    return Blocks()


def _in_bmff(data: bytes) -> Blocks:
    meta = bmff.parse_meta(bmff.meta_box(lambda at, length: data[at : at + length]))
    exif = xmp = b""
    for item in meta.items.values():
        if item.kind == b"Exif":
            body = bmff.body_of(data, meta, item, MAX_BLOCK_BYTES)
            exif = exif or body[4 + int.from_bytes(body[:4]) :].removeprefix(EXIF + b"\0")
        elif item.kind == b"mime":
            body = bmff.body_of(data, meta, item, MAX_BLOCK_BYTES)
            xmp = xmp or (body if b"rdf:RDF" in body else b"")
    return Blocks(exif, xmp)


def _in_tiff(data: bytes) -> Blocks:
    tiff = Tiff(lambda at, length: data[at : at + length])
    entries = tiff.directory(tiff.first).entries
    xmp, iim, photoshop = (
        tiff.body(entries[tag], MAX_BLOCK_BYTES) if tag in entries else b""
        for tag in (_TIFF_XMP, _TIFF_IIM, _TIFF_PHOTOSHOP)
    )
    found = resources(photoshop)
    return Blocks(data, xmp, iim or found.iim, found.digest)


def _in_svg(data: bytes) -> Blocks:
    return Blocks(xmp=data if len(data) <= MAX_BLOCK_BYTES else b"")


_FINDERS: dict[str, Callable[[bytes], Blocks]] = {
    "jpeg": _in_jpeg,
    "png": _in_png,
    "webp": _in_webp,
    "gif": _in_gif,
    "avif": _in_bmff,
    "heic": _in_bmff,
    "tiff": _in_tiff,
    "svg": _in_svg,
}
