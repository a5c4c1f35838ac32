"""The header of a JPEG XL image (ISO/IEC 18181-1 and -2)."""

from __future__ import annotations

from darkroom.imaging.formats.image_format import Header

from .jpeg2000 import iter_boxes

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
CODESTREAM = b"\xff\x0a"
_HEAD_BYTES = 64
_INDEX_BYTES = 4
"""Before a part of the codestream in a `jxlp` box."""
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Of width to height, for the values 1 to 7."""
_SIDE_BITS = (9, 13, 18, 30)


class _Bits:
    """Bits of ``data``, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def read(self, number: int) -> int:
        """Return the next ``number`` bits; raises ValueError at the end."""
        self._left -= number
        if self._left < 0:
            raise ValueError("the header is cut off")
        found = self._value & (1 << number) - 1
        self._value >>= number
        return found

    def read_side(self) -> int:
        """Return a side in px."""
        return 1 + self.read(_SIDE_BITS[self.read(2)])


def read_header(data: bytes) -> Header:
    """Return the header. Raises ValueError, LookupError or struct.error."""
    bits = _Bits(_find_codestream(data))
    small = bits.read(1)
    height = 8 * (1 + bits.read(5)) if small else bits.read_side()
    ratio = bits.read(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        width = height * across // down
    else:
        width = 8 * (1 + bits.read(5)) if small else bits.read_side()
    has_defaults = bits.read(1)
    has_fields = not has_defaults and bits.read(1)
    return Header("jxl", width, height, orientation=1 + bits.read(3) if has_fields else 1)


def _find_codestream(data: bytes) -> bytes:
    """Return the first bytes of the codestream behind its signature, from as many boxes as they lie in."""
    if data.startswith(CODESTREAM):
        return data[len(CODESTREAM) : _HEAD_BYTES]
    found = b""
    for kind, start, end in iter_boxes(data, 0, len(data)):
        if kind in (b"jxlc", b"jxlp"):
            found += data[start + (_INDEX_BYTES if kind == b"jxlp" else 0) : min(end, start + _HEAD_BYTES)]
        if len(found) >= _HEAD_BYTES - _INDEX_BYTES:
            break
    if not found.startswith(CODESTREAM):
        raise ValueError("no codestream")
    return found[len(CODESTREAM) :]


def estimate_bytes_per_pixel(header: Header) -> float:
    """Return the memory of libjxl and the encoder: 12 are measured, and further frames have planes of 32 bits."""
    del header
    return 30.0
