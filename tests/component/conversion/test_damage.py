"""Headers that are too large, damaged or unusual, and decoders of mutated files."""

from __future__ import annotations

import random
import struct

import pytest
from PIL import Image

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TypeNotAllowed
from darkroom.plan.limits import Limits
from darkroom_pipeline.conversion import pillow_worker
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.conversion.formats import FORMATS

from .files import bitmap, document, icon, icon_bitmap, resource, samples

EVERY = Converter(tuple(FORMATS))


def refuse(data: bytes, limits: Limits = Limits()) -> DarkroomError:  # noqa: B008 - it is frozen
    with pytest.raises(DarkroomError) as refusal:
        EVERY.read_header(data, limits)
    return refusal.value


def test_only_configured_formats_are_converted() -> None:
    data = samples()["jp2"]
    assert Converter(("bmp",)).read_header(data, Limits()) is None
    assert (Converter(("bmp",)).detect_format(data), EVERY.detect_format(data)) == ("", "jp2")


@pytest.mark.parametrize("name", ["bmp", "ico", "jp2", "psd"])
def test_more_pixels_than_the_limit(name: str) -> None:
    error = refuse(samples()[name], Limits(max_pixels=1000))
    assert isinstance(error, OverLimits)
    assert "the limit is 1,000" in error.message
    assert isinstance(refuse(samples()[name], Limits(max_decoder_bytes=10_000)), OverLimits)


def test_sizes_that_files_do_not_have() -> None:
    """A file of a few bytes that claims gigapixels is refused by its header."""
    huge = bitmap(40_000, 40_000, 8, bytes([0, 1]), compression=1, palette=[(0, 0, 0)])
    assert isinstance(refuse(huge), OverLimits)
    assert isinstance(refuse(bitmap(1000, 1000, 24, bytes(99))), DamagedSource)
    stream = bytearray(samples()["jp2 codestream"])
    struct.pack_into(">II", stream, 8, 60_000, 60_000)
    struct.pack_into(">II", stream, 24, 60_000, 60_000)
    assert isinstance(refuse(bytes(stream)), OverLimits)
    struct.pack_into(">II", stream, 24, 1, 1)
    assert isinstance(refuse(bytes(stream)), DamagedSource), "3,600,000,000 tiles"
    assert isinstance(refuse(icon(icon_bitmap(30_000, 30_000, 1, b"", b""))), DamagedSource)


@pytest.mark.parametrize(
    "data",
    [
        bitmap(0, 5, 24, b""),
        bitmap(-5, 5, 24, bytes(80)),
        bitmap(5, 5, 2, bytes(80)),
        bitmap(5, 5, 24, bytes(80), compression=1),
        bitmap(5, -5, 8, bytes(80), compression=1),
        bitmap(5, 5, 8, bytes(80), header_size=77),
        b"BM",
        b"\0\0\1\0",
        b"\0\0\1\0\0\0",
        b"\0\0\1\0\xff\xff",
        icon(b""),
        icon(b"\x89PNG\r\n\x1a\nnothing"),
        icon(bitmap(5, 5, 24, bytes(80))),
        b"\xff\x4f\xff\x51",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(8),
        b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08free" * 1000,
        b"8BPS",
        document([bytes(6143)], 1),
        document([bytes(6144)], 1, size=(0, 64)),
        document([bytes(6144)], 1, size=(1, 30_001)),
        document([bytes(6144)], 1, version=3),
        document([bytes(6144)], 3),
        document([bytes(6144)], 5),
        document([bytes(6144)], 1, bits=1),
        document([bytes(6144)], 2, palette=bytes(767)),
        document([bytes(6144)], 1, compression=4),
        document([bytes(100)], 1, compression=1),
        document([bytes(6144)], 1, runs=True)[:-1],
        document([bytes(6144)], 1, resources=bytes(9))[:40],
    ],
)
def test_damaged_headers(data: bytes) -> None:
    assert isinstance(refuse(data), DamagedSource)


def test_variants_that_are_not_supported_are_named() -> None:
    masks = (0xF0, 0xF00, 0xF)
    assert isinstance(refuse(bitmap(5, 5, 16, bytes(80), compression=3, masks=masks, header_size=52)), TypeNotAllowed)
    for compression, name in ((4, "JPEG data"), (5, "PNG data"), (11, "compression 11")):
        error = refuse(bitmap(5, 5, 24, bytes(80), compression=compression))
        assert isinstance(error, TypeNotAllowed)
        assert name in error.message
    cmyk = bytearray(samples()["jp2 alpha"])
    at = cmyk.index(b"colr") + 7
    cmyk[at : at + 4] = (12).to_bytes(4)
    assert isinstance(refuse(bytes(cmyk)), TypeNotAllowed)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (document([bytes(6144)], 1, version=2), "(PSB)"),
        (document([bytes(6144)] * 3, 9), "CIE L*a*b*"),
        (document([bytes(6144)], 8), "duotone"),
        (document([bytes(6144)], 7), "without a colour model"),
        (document([bytes(6144)] * 3, 3, bits=32), "32 bits"),
        (document([bytes(6144)], 1, compression=3), "ZIP"),
        (document([bytes(6144)], 1, resources=resource(1057, bytes(5))), "Maximize Compatibility"),
    ],
)
def test_kinds_of_photoshop_documents_that_are_refused_are_named(data: bytes, name: str) -> None:
    error = refuse(data)
    assert isinstance(error, TypeNotAllowed)
    assert name in error.message


def test_damaged_resources_do_not_matter() -> None:
    for resources in (bytes(9), b"8BIM\4\x0f\0\0\xff\xff\xff\xff", b"8BIM\4\x0f\xff"):
        assert EVERY.read_header(document([bytes(6144)], 1, resources=resources), Limits()) is not None


@pytest.mark.parametrize("name", sorted(samples()))
def test_mutated_headers_raise_errors_of_their_own(name: str) -> None:
    """500 files with changed, cut or repeated bytes are accepted or refused, within the limits."""
    data, dice = samples()[name], random.Random(name)
    for _ in range(500):
        try:
            header = EVERY.read_header(mutate(data[:2000], dice), Limits())
        except DarkroomError as error:
            assert error.status in (413, 415, 422)
        else:
            assert header is None or header.width * header.height <= Limits().max_pixels


@pytest.mark.parametrize("name", sorted(set(samples()) - {"ico png"}))
def test_mutated_files_end_in_an_image_or_an_exception(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's decoders in this process: a crash would end it. Sizes stay those that the header reader admitted."""
    data, dice = samples()[name], random.Random(name)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    decode = {
        "bmp": pillow_worker.decode_bitmap,
        "ico": pillow_worker.decode_icon,
        "jp2": pillow_worker.decode_jpeg2000,
        "psd": pillow_worker.decode_photoshop,
    }[name.partition(" ")[0]]
    for _ in range(40):
        changed = mutate(data, dice)
        try:
            if EVERY.read_header(changed, Limits(max_pixels=100_000)) is not None:
                decode(changed)
        except (DarkroomError, OSError, ValueError, SyntaxError, LookupError, struct.error, MemoryError):
            continue


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Change a few bytes of ``data``, mostly near the beginning, or cut it off."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = int(len(changed) * dice.random() ** 3)
        match dice.randrange(4):
            case 0:
                changed[at] = dice.choice((0, 1, 127, 128, 255, dice.randrange(256)))
            case 1:
                changed[at : at + 4] = dice.choice((bytes(4), b"\xff" * 4, struct.pack("<I", dice.randrange(1 << 32))))
            case 2 if dice.random() < 0.3:
                del changed[max(4, at) :]
            case _:
                changed[at : at + 8] = changed[at : at + 16]
    return bytes(data[:4] + changed[4:])
