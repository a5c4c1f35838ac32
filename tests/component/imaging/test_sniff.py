"""Types by magic bytes."""

from __future__ import annotations

from importlib import import_module

import pytest

from darkroom.errors import TypeNotAllowed
from darkroom.imaging.formats.image_format import SourceFormat
from darkroom.imaging.formats.probe import sniff
from darkroom.imaging.formats.registry import SOURCE_FORMATS
from darkroom.plan.model import SOURCE_TYPES
from tests.images.drawn import HEIC, saved
from tests.images.sources import sources


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = b"".join(compatible)
    return (16 + len(brands)).to_bytes(4) + b"ftyp" + major + bytes(4) + brands + bytes(100)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        *((data, kind.partition(" ")[0]) for kind, data in sources().items()),
        ((HEIC / "ramp-10-bit.heic").read_bytes(), "heic"),
        (ftyp(b"mif1", b"heic"), "heic"),
        (ftyp(b"mif1", b"avif", b"miaf"), "avif"),
        (ftyp(b"heic", b"mif1", b"avif"), "heic"),
        (b"MM\0\x2b\0\x08\0\0", "tiff"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn --><!DOCTYPE svg [<!ENTITY a "b">]>\n<svg>', "svg"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd"><s:svg xmlns:s="...">', "svg"),
        ("\ufeff<svg/>".encode("utf-16-le"), "svg"),
        ("\ufeff<svg/>".encode("utf-16-be"), "svg"),
    ],
)
def test_accepted_types(data: bytes, form: str) -> None:
    assert sniff(data[:4096]) == form


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7", "PDF"),
        (b"\x76\x2f\x31\x01rest", "OpenEXR"),
        (b"\0\0\1\0\3\0", "icon"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (ftyp(b"jp2 "), "JPEG 2000"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"BM\x36\0", "bitmap"),
        (b"8BPS\0\1", "Photoshop"),
        (ftyp(b"isom", b"mp42"), "MP4"),
        (ftyp(b"qt  "), "QuickTime"),
        (ftyp(b"crx "), "camera raw"),
        (b"II\x2a\0\x10\0\0\0CR\2\0", "camera raw"),
        (b"\x1a\x45\xdf\xa3", "WebM"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"RIFF\0\0\0\0WAVEfmt ", "WAVE"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\3\4", "ZIP"),
        (b"<!DOCTYPE html><html><svg></svg>", "HTML"),
        (b"<html><body><svg/>", "HTML"),
        (b"just words", "not known"),
        (b"GIF88a", "not known"),
        (b"", "empty"),
    ],
)
def test_what_is_refused_by_its_name(data: bytes, name: str) -> None:
    with pytest.raises(TypeNotAllowed, match=name):
        sniff(data)


def test_a_type_is_not_found_further_inside() -> None:
    with pytest.raises(TypeNotAllowed):
        sniff(b"x" + saved("JPEG"))


@pytest.mark.parametrize("form", SOURCE_FORMATS.values(), ids=lambda form: form.name)
def test_each_source_format_is_complete(form: SourceFormat) -> None:
    package = f"darkroom.imaging.formats.{form.package}"
    probe, metadata = import_module(f"{package}.probe"), import_module(f"{package}.metadata")
    functions = [probe.read_header, metadata.locate]
    functions += [metadata.strip] if form.strips else []
    functions += [probe.find_patches] if form.patched else []
    functions += [probe.is_lossless] if form.lossless is None else []
    assert all(map(callable, functions))


def test_each_source_format_has_a_media_type_extensions_and_an_image() -> None:
    assert list(SOURCE_TYPES) == list(SOURCE_FORMATS), "SOURCE_TYPES in layers/darkroom/darkroom/plan/model.py"
    assert all(types and all(types.values()) for types in SOURCE_TYPES.values())
    drawn = {kind.partition(" ")[0] for kind in sources()} | {"heic"}
    assert drawn == set(SOURCE_FORMATS), "sources() in tests/images/sources.py"
