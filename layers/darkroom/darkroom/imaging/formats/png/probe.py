"""Read PNG headers (W3C PNG, third edition), and what a decoder must not see of a file."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from ...source import Patch, Source
from ..image_format import Cicp, Header, read_orientation
from .apng import SIGNATURE_BYTES, parse_animation

MAX_CHUNKS_BEFORE_PIXELS = 5_000
_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_COLOURS = {_GRAY: "gray", _RGB: "rgb", _PALETTE: "rgb", _GRAY_ALPHA: "gray", _RGB_ALPHA: "rgb"}
_WANTED = (b"tRNS", b"iCCP", b"eXIf", b"cICP", b"acTL", b"gAMA", b"sRGB")
_HIDDEN = b"hiDe"
"""The name of an ancillary, private chunk without a meaning (W3C PNG, third edition, 5.4)."""
_SRGB_GAMMA = 1 / 2.2
_GAMMA_THRESHOLD = 0.05
"""A relative difference that libpng does not correct either (PNG_GAMMA_THRESHOLD)."""
_LEAST_GAMMA, _MOST_GAMMA = 0.05, 5.0
"""Others would leave black and white; they are errors of encoders."""


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - a PNG has one page
    """Return the header of a PNG; raise ValueError. An animated one is read to its end, to count frames."""
    opening = source.read_at(SIGNATURE_BYTES, 25)
    if opening[:8] != b"\0\0\0\x0dIHDR" or len(opening) < 25:
        raise ValueError("IHDR is not first")
    kind = opening[17]
    if kind not in _COLOURS:
        raise ValueError(f"colour type {kind}")
    chunks = _read_wanted(source)
    cicp = chunks.get(b"cICP", b"")
    return Header(
        "png",
        int.from_bytes(opening[8:12]),
        int.from_bytes(opening[12:16]),
        frames=_frames(source) if b"acTL" in chunks else 1,
        orientation=read_orientation(chunks.get(b"eXIf", b"")),
        has_alpha=kind in (_GRAY_ALPHA, _RGB_ALPHA) or b"tRNS" in chunks,
        has_profile=b"iCCP" in chunks,
        bits=opening[16],
        progressive=opening[20] == 1,
        colour=_COLOURS[kind],
        cicp=Cicp(cicp[0], cicp[1]) if len(cicp) == 4 else None,
        gamma=_gamma(chunks),
    )


def _gamma(chunks: dict[bytes, bytes]) -> float:
    """Return the exponent in gAMA; 0 where another chunk takes precedence (W3C PNG, 4.3) or it is near sRGB's."""
    body = chunks.get(b"gAMA", b"")
    gamma = int.from_bytes(body) / 100_000 if len(body) == 4 else 0.0
    if not _LEAST_GAMMA <= gamma <= _MOST_GAMMA or {b"iCCP", b"sRGB", b"cICP"} & chunks.keys():
        return 0.0
    return 0.0 if abs(gamma / _SRGB_GAMMA - 1) < _GAMMA_THRESHOLD else gamma


def _frames(source: Source) -> int:
    """The frames of an animation; 1 where it is not as announced, as it is a still then."""
    animation = parse_animation(source.read_all())
    return len(animation.frames) if animation is not None else 1


def _iter_before_pixels(source: Source) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each chunk before the first IDAT begins, the size of its body, and its name."""
    at = SIGNATURE_BYTES
    for _ in range(MAX_CHUNKS_BEFORE_PIXELS):
        opening = source.read_at(at, 8)
        if len(opening) < 8:
            raise ValueError("no IDAT")
        size, name = int.from_bytes(opening[:4]), opening[4:]
        if name == b"IDAT":
            return
        yield at, size, name
        at += 12 + size
    raise ValueError("too many chunks before IDAT")


def _read_wanted(source: Source) -> dict[bytes, bytes]:
    """What the wanted chunks before the first IDAT carry, up to 64 KB each."""
    found: dict[bytes, bytes] = {}
    for at, size, name in _iter_before_pixels(source):
        if name in _WANTED:
            found.setdefault(name, source.read_at(at + 8, min(size, 65_536)))
    return found


def find_patches(source: Source, page: int) -> Iterator[Patch]:  # noqa: ARG001 - a PNG has one page
    """Rename an ``eXIf`` chunk before the pixels, and correct its checksum."""
    for at, size, name in _iter_before_pixels(source):
        if name == b"eXIf":
            body = source.read_at(at + 8, size)
            yield Patch(at + 4, _HIDDEN)
            yield Patch(at + 8 + size, crc32(_HIDDEN + body).to_bytes(4))
