"""Read the image size that AV1 and HEVC bitstreams declare: decoders allocate that, whatever the container declares."""

from __future__ import annotations

from collections.abc import Iterator

from .container import Item, ReadAt

MAX_UNITS = 10_000
"""Units read in one item: a still image has a handful."""
_AV1_SEQUENCE, _HEVC_SEQUENCE = 1, 33
_AV1_HIGH, _AV1_PROFESSIONAL = 1, 2
"""Profiles: the first has chroma always, the second up to 12 bits."""
_NCLX_RANGE_AT = 10
"""Behind type, primaries, transfer and matrix (ISO/IEC 14496-12, 12.1.5)."""
_SEQUENCE_BYTES = 256
"""More than any sequence header needs up to its size fields."""


class BitReader:
    """A cursor over bits, most significant first; raises ValueError at the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def read(self, count: int) -> int:
        """The next ``count`` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("a sequence header is cut off")
        return self._value >> self._left & (1 << count) - 1

    def read_exp_golomb(self) -> int:
        """The next ue(v)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)

    def read_uvlc(self) -> int:
        """The next uvlc() of AV1, which stops at 32 zeros."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << 32) - 1 if zeros >= 32 else (1 << zeros) - 1 + self.read(zeros)


def iter_coded_sizes(item: Item, read_at: ReadAt) -> Iterator[tuple[int, int]]:
    """Every (width, height) in px that the data of an `av01` or `hvc1` item declares; raises ValueError."""
    if item.kind == b"av01":
        for unit in _av1_sequences(read_at):
            yield read_av1_size(unit)
        return
    config = item.first(b"hvcC")
    if config is None or len(config) < 23:
        raise ValueError("no hvcC")
    for unit in (*_configured(config), *_hevc_sequences(read_at, (config[21] & 3) + 1)):
        yield read_hevc_size(unit)


def _av1_sequences(read_at: ReadAt) -> Iterator[bytes]:
    """What each sequence header OBU carries (AV1 5.3)."""
    at = 0
    for _ in range(MAX_UNITS):
        opening = read_at(at, 10)
        if not opening:
            return
        body = 2 if opening[0] & 4 else 1
        size, used = _leb128(opening[body:]) if opening[0] & 2 else (_SEQUENCE_BYTES, 0)
        if opening[0] >> 3 & 15 == _AV1_SEQUENCE:
            yield read_at(at + body + used, min(size, _SEQUENCE_BYTES))
        if not opening[0] & 2:
            return
        at += body + used + size
    raise ValueError("too many units")


def _leb128(data: bytes) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, index + 1
    raise ValueError("a length without end")


def read_av1_size(unit: bytes) -> tuple[int, int]:
    """Largest frame of an AV1 sequence header (AV1 5.5.1)."""
    return _read_av1_start(BitReader(unit))[2]


def _read_av1_start(bits: BitReader) -> tuple[int, int, tuple[int, int]]:
    """Profile, reduced_still_picture_header, and the largest frame, where the reader then is."""
    profile = bits.read(3)
    bits.read(1)
    if reduced := bits.read(1):
        bits.read(5)
    else:
        _skip_timing(bits)
    wide, tall = bits.read(4) + 1, bits.read(4) + 1
    return profile, reduced, (bits.read(wide) + 1, bits.read(tall) + 1)


def reads_limited_range(item: Item, read_at: ReadAt) -> bool:
    """Return whether a monochrome `av01` item has black at 16 and white at 235 of 255; raise ValueError.

    Its `nclx` decides, else its first sequence header.
    """
    named = next((box.body for box in item.properties if box.kind == b"colr" and box.body.startswith(b"nclx")), b"")
    if len(named) > _NCLX_RANGE_AT:
        return not named[_NCLX_RANGE_AT] & 0x80
    unit = next(_av1_sequences(read_at), None)
    return unit is not None and not _read_monochrome_range(BitReader(unit))


def _read_monochrome_range(bits: BitReader) -> int:
    """Return color_range of a sequence header without chroma (AV1 5.5.1 and 5.5.2)."""
    profile, reduced, _ = _read_av1_start(bits)
    if not reduced and bits.read(1):
        bits.read(4 + 3)
    bits.read(3)
    if not reduced:
        _skip_tools(bits)
    bits.read(3)
    if bits.read(1) and profile == _AV1_PROFESSIONAL:
        bits.read(1)
    if profile == _AV1_HIGH or not bits.read(1):
        return 1
    if bits.read(1):
        bits.read(24)
    return bits.read(1)


def _skip_tools(bits: BitReader) -> None:
    """Skip from enable_interintra_compound to order_hint_bits_minus_1."""
    bits.read(4)
    ordered = bits.read(1)
    if ordered:
        bits.read(2)
    forced = 1 if bits.read(1) else bits.read(1)
    if forced and not bits.read(1):
        bits.read(1)
    if ordered:
        bits.read(3)


def _skip_timing(bits: BitReader) -> None:
    """Skip from timing_info_present_flag to the last operating point."""
    decoder_model = False
    delay = 0
    if bits.read(1):
        bits.read(64)
        if bits.read(1):
            bits.read_uvlc()
        decoder_model = bool(bits.read(1))
        if decoder_model:
            delay = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    initial_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if decoder_model and bits.read(1):
            bits.read(2 * delay + 1)
        if initial_delay and bits.read(1):
            bits.read(4)


def _configured(config: bytes) -> Iterator[bytes]:
    """The sequence parameter sets in an hvcC box (ISO/IEC 14496-15)."""
    at = 23
    for _ in range(config[22]):
        kind, count = config[at] & 0x3F, int.from_bytes(config[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            size = int.from_bytes(config[at : at + 2])
            if kind == _HEVC_SEQUENCE:
                yield config[at + 2 : at + 2 + min(size, _SEQUENCE_BYTES)]
            at += 2 + size


def _hevc_sequences(read_at: ReadAt, length_size: int) -> Iterator[bytes]:
    """The sequence parameter sets within an item's data, where they override the configured ones."""
    at = 0
    for _ in range(MAX_UNITS):
        opening = read_at(at, length_size + 1)
        if len(opening) <= length_size:
            return
        size = int.from_bytes(opening[:length_size])
        if opening[length_size] >> 1 & 0x3F == _HEVC_SEQUENCE:
            yield read_at(at + length_size, min(size, _SEQUENCE_BYTES))
        at += length_size + size
    raise ValueError("too many units")


def read_hevc_size(unit: bytes) -> tuple[int, int]:
    """Image size of an HEVC sequence parameter set with its two-byte unit header (H.265 7.3.2.2)."""
    bits = BitReader(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.read(4)
    layers = bits.read(3)
    bits.read(1 + 96)
    present = [(bits.read(1), bits.read(1)) for _ in range(layers)]
    if layers:
        bits.read(2 * (8 - layers))
    for profile, level in present:
        bits.read(88 * profile + 8 * level)
    bits.read_exp_golomb()
    if bits.read_exp_golomb() == 3:
        bits.read(1)
    return bits.read_exp_golomb(), bits.read_exp_golomb()
