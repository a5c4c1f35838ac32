"""Where each format carries its blocks of metadata."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from ..bmff import container as bmff
from ..gif import container as gif
from ..jpeg.container import APP1, APP13, EXIF, XMP, iter_segments
from ..png import container as png
from ..tiff.container import TiffReader
from ..webp import container as webp
from .iptc import parse_photoshop_resources

MAX_BLOCK_BYTES = 4 * 1024 * 1024
"""Longer ones hold pictures or histories, and are left alone."""
_PHOTOSHOP = b"Photoshop 3.0\0"
_PNG_XMP = b"XML:com.adobe.xmp\0"
_GIF_XMP = b"XMP DataXMP"
_GIF_XMP_END = b"\x01\xff\xfe"
"""XMP lies in a GIF without sub-blocks; 258 bytes behind it lead readers of sub-blocks out."""
_TIFF_XMP, _TIFF_IIM, _TIFF_PHOTOSHOP = 700, 33723, 34377


@dataclass(frozen=True, slots=True)
class MetadataBlocks:
    """The first of each, bare; empty where there is none. Of a TIFF, ``exif`` is the whole file."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    iptc_digest: bytes = b""


def locate_blocks(data: bytes, form: str) -> MetadataBlocks:
    """The blocks in a file of the format ``form``; raises ValueError, LookupError or zlib.error where it is broken."""
    return _LOCATORS[form](data)


def _locate_in_jpeg(data: bytes) -> MetadataBlocks:
    exif = xmp = photoshop = b""
    for part in iter_segments(lambda at, length: data[at : at + length]):
        body = data[part.body : part.end]
        if part.marker == APP1 and body.startswith(EXIF):
            exif = exif or body[len(EXIF) + 1 :]
        elif part.marker == APP1 and body.startswith(XMP):
            xmp = xmp or body[len(XMP) :]
        elif part.marker == APP13 and body.startswith(_PHOTOSHOP):
            photoshop += body[len(_PHOTOSHOP) :]
    return MetadataBlocks(exif, xmp, *parse_photoshop_resources(photoshop))


def _locate_in_png(data: bytes) -> MetadataBlocks:
    exif = xmp = b""
    for part in png.iter_chunks(data):
        body = data[part.body : part.end - 4]
        if part.name == b"eXIf":
            exif = exif or body
        elif part.name == b"iTXt" and body.startswith(_PNG_XMP):
            xmp = xmp or _international_text(body[len(_PNG_XMP) :])
    return MetadataBlocks(exif, xmp)


def _international_text(body: bytes) -> bytes:
    """The text of an `iTXt` chunk after its keyword: flag, method, language, keyword in that language, text."""
    _, _, text = body[2:].split(b"\0", 2)
    if body[0] == 0:
        return text
    unpacked = zlib.decompressobj()
    found = unpacked.decompress(text, MAX_BLOCK_BYTES)
    return found if unpacked.eof else b""


def _locate_in_webp(data: bytes) -> MetadataBlocks:
    found = {
        part.name: data[part.body : part.body + part.size]
        for part in webp.iter_chunks(lambda at, length: data[at : at + length])
        if part.name in (b"EXIF", b"XMP ")
    }
    return MetadataBlocks(found.get(b"EXIF", b"").removeprefix(EXIF + b"\0"), found.get(b"XMP ", b""))


def _locate_in_gif(data: bytes) -> MetadataBlocks:
    for block in gif.iter_blocks(data):
        body = data[block.start + 3 : block.end]
        if block.label == gif.APPLICATION and body.startswith(_GIF_XMP):
            return MetadataBlocks(xmp=body[len(_GIF_XMP) :].partition(_GIF_XMP_END)[0])
    return MetadataBlocks()


def _locate_in_bmff(data: bytes) -> MetadataBlocks:
    meta = bmff.parse_meta(bmff.read_meta_box(lambda at, length: data[at : at + length]))
    exif = xmp = b""
    for item in meta.items.values():
        if item.kind == b"Exif":
            body = bmff.read_item(data, meta, item, MAX_BLOCK_BYTES)
            exif = exif or body[4 + int.from_bytes(body[:4]) :].removeprefix(EXIF + b"\0")
        elif item.kind == b"mime":
            body = bmff.read_item(data, meta, item, MAX_BLOCK_BYTES)
            xmp = xmp or (body if b"rdf:RDF" in body else b"")
    return MetadataBlocks(exif, xmp)


def _locate_in_tiff(data: bytes) -> MetadataBlocks:
    tiff = TiffReader(lambda at, length: data[at : at + length])
    entries = tiff.read_directory(tiff.first).entries
    xmp, iim, photoshop = (
        tiff.read_value(entries[tag], MAX_BLOCK_BYTES) if tag in entries else b""
        for tag in (_TIFF_XMP, _TIFF_IIM, _TIFF_PHOTOSHOP)
    )
    found = parse_photoshop_resources(photoshop)
    return MetadataBlocks(data, xmp, iim or found.iptc, found.digest)


def _locate_in_svg(data: bytes) -> MetadataBlocks:
    return MetadataBlocks(xmp=data if len(data) <= MAX_BLOCK_BYTES else b"")


_LOCATORS: dict[str, Callable[[bytes], MetadataBlocks]] = {
    "jpeg": _locate_in_jpeg,
    "png": _locate_in_png,
    "webp": _locate_in_webp,
    "gif": _locate_in_gif,
    "avif": _locate_in_bmff,
    "heic": _locate_in_bmff,
    "tiff": _locate_in_tiff,
    "svg": _locate_in_svg,
}
