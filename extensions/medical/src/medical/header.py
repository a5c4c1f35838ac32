"""Read the header of a DICOM file with bounded work, before pydicom sees the file.

pydicom parses sequences recursively, and inflates a deflated data set as a whole. This walks over all data elements up
to the pixel data without recursion, counts them, bounds their nesting, and notes what the limits need. Encodings are
those of PS3.5, sections 7 and A.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from darkroom.errors import DamagedSource, OverLimits, TypeNotAllowed

from . import limits

PREAMBLE_BYTES = 132
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
IMPLICIT = "1.2.840.10008.1.2"
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
RLE = "1.2.840.10008.1.2.5"

TRANSFER_SYNTAXES: Mapping[str, str] = {
    IMPLICIT: "",
    "1.2.840.10008.1.2.1": "",
    DEFLATED: "",
    BIG_ENDIAN: "",
    RLE: "pydicom",
    **dict.fromkeys(JPEG_LS, "pyjpegls"),
    **{f"1.2.840.10008.1.2.4.{number}": "pylibjpeg" for number in (50, 51, 57, 70, 90, 91, 201, 202, 203)},
}
"""Transfer syntaxes that are decoded, and pydicom's name of the decoder: none for native pixels.

JPEG baseline, extended, lossless; JPEG-LS; JPEG 2000; HTJ2K; RLE (PS3.6, A.4). Video is not among them.
"""

ROWS, COLUMNS, FRAMES = 0x00280010, 0x00280011, 0x00280008
SAMPLES, PHOTOMETRIC = 0x00280002, 0x00280004
ALLOCATED, STORED = 0x00280100, 0x00280101
PRIORITY = 0x00401003
PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA = 0x7FE00010, 0x7FE00008, 0x7FE00009
_PIXELS = (PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA)
_NUMBERS = (ROWS, COLUMNS, SAMPLES, ALLOCATED, STORED)
_TEXTS = (FRAMES, PHOTOMETRIC, PRIORITY)

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs with a length of four bytes after two reserved ones (PS3.5, table 7.1-1)."""
_VR = re.compile(rb"[A-Z]{2}")
_META_GROUP, _TRANSFER_SYNTAX = b"\2\0", 0x00020010
_MAX_TEXT_BYTES = 64
_CHUNK_BYTES = 1024 * 1024


class Encoding(NamedTuple):
    """How elements are encoded: byte order for :mod:`struct`, and whether VRs are explicit."""

    order: str
    explicit: bool


class Element(NamedTuple):
    """A data element. ``length`` is None if it is undefined. ``depth`` is 0 outside of sequences."""

    tag: int
    at: int
    length: int | None
    depth: int


@dataclass(slots=True)
class Header:
    """What the header declares; 0 and "" for what it lacks. ``pixel_bytes`` is None for encapsulated pixels.

    ``samples`` are those of a pixel, ``allocated`` and ``stored`` bits of a sample. ``priority`` is the Requested
    Procedure Priority, which may be in a sequence.
    """

    transfer_syntax: str = ""
    rows: int = 0
    columns: int = 0
    frames: int = 1
    samples: int = 1
    allocated: int = 0
    stored: int = 0
    photometric: str = ""
    priority: str = ""
    pixel_tag: int = 0
    pixel_bytes: int | None = None
    _found: dict[int, str | int] = field(default_factory=dict)

    @property
    def frame_bytes(self) -> int:
        """Decoded bytes of a frame."""
        return -(-self.rows * self.columns * self.samples * self.allocated // 8)

    def check(self) -> None:
        """Raise TypeNotAllowed, OverLimits or DamagedSource for what is not decoded."""
        if not self.pixel_tag:
            raise TypeNotAllowed("The file has no pixel data")
        if not (self.rows and self.columns and self.frames):
            raise DamagedSource("Rows, Columns or Number of Frames is zero or missing")
        if self.samples not in (1, 3) or self.allocated not in (1, 8, 16, 32, 64):
            raise TypeNotAllowed(f"{self.samples} samples of {self.allocated} bits are not decoded")
        if max(self.rows, self.columns) > limits.MAX_SIDE_PX:
            raise OverLimits(f"The image is {self.columns} x {self.rows} px; sides have {limits.MAX_SIDE_PX} at most")
        if self.frames > limits.MAX_FRAMES:
            raise OverLimits(f"The image has {self.frames} frames; the limit is {limits.MAX_FRAMES}")
        if self.frame_bytes > limits.MAX_FRAME_BYTES:
            raise OverLimits(f"A frame has {self.frame_bytes:,} bytes; the limit is {limits.MAX_FRAME_BYTES:,}")
        pages = 2 * self.rows * self.columns * self.samples * self.frames
        if pages > limits.MAX_IMAGE_BYTES or self.rows * self.frames > limits.MAX_LINES:
            raise OverLimits(f"All frames have {pages:,} bytes; the limit is {limits.MAX_IMAGE_BYTES:,}")
        self._check_length()

    def _check_length(self) -> None:
        if self.pixel_bytes is None:
            return
        if TRANSFER_SYNTAXES[self.transfer_syntax]:
            raise DamagedSource("Compressed pixel data is not encapsulated")
        expected = -(-self.rows * self.columns * self.samples * self.allocated * self.frames // 8)
        if "422" in self.photometric:  # two pixels share their chroma (PS3.3, C.7.6.3.1.2)
            expected = expected * 2 // 3
        if self.pixel_bytes < expected:
            raise DamagedSource(f"The pixel data has {self.pixel_bytes:,} bytes of {expected:,}")


def read_header(data: bytes | memoryview, *, complete: bool = True) -> Header:
    """Read the header of a DICOM file; raises TypeNotAllowed, DamagedSource or OverLimits.

    Not ``complete``: ``data`` are the first bytes of a file, and the header has what was found in them.
    """
    header = Header()
    at = _read_meta(data, header)
    if header.transfer_syntax not in TRANSFER_SYNTAXES:
        raise TypeNotAllowed("The transfer syntax is not decoded")
    body: bytes | memoryview = data[at:]
    if header.transfer_syntax == DEFLATED:
        body = inflate(body, complete=complete)
    order = ">" if header.transfer_syntax == BIG_ENDIAN else "<"
    encoding = Encoding(order, header.transfer_syntax != IMPLICIT)
    try:
        for element in walk(body, encoding):
            _note(header, element, body, encoding)
            if element.tag in _PIXELS and element.depth == 0:
                break
    except DamagedSource:
        if complete:
            raise
    _take(header)
    return header


def inflate(data: bytes | memoryview, *, complete: bool = True) -> bytes:
    """Decompress a deflated data set; raises OverLimits, or DamagedSource if a ``complete`` one ends too early."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    most = limits.MAX_INFLATED_BYTES if complete else _CHUNK_BYTES
    try:
        found = inflater.decompress(data, most + 1)
    except zlib.error as error:
        raise DamagedSource("The deflated data set is damaged") from error
    if len(found) > most and complete:
        raise OverLimits(f"The deflated data set has more than {most:,} bytes")
    if complete and not inflater.eof:
        raise DamagedSource("The deflated data set ends too early")
    return found


def _read_meta(data: bytes | memoryview, header: Header) -> int:
    """Read the file meta information (PS3.10, 7.1); return where the data set begins."""
    if bytes(data[PREAMBLE_BYTES - 4 : PREAMBLE_BYTES]) != b"DICM":
        raise TypeNotAllowed("The file is not a DICOM file")
    at = PREAMBLE_BYTES
    meta = Encoding("<", explicit=True)
    while bytes(data[at : at + 2]) == _META_GROUP:
        tag, _, length, value = _read_element(data, at, meta)
        if length is None or value + length > len(data):
            raise DamagedSource("The file meta information is damaged")
        at = value + length
        if tag == _TRANSFER_SYNTAX:
            header.transfer_syntax = bytes(data[value : min(at, value + 64)]).decode("ascii", "replace").rstrip("\0 ")
    return at


def _note(header: Header, element: Element, data: bytes | memoryview, encoding: Encoding) -> None:
    tag, at, length = element.tag, element.at, element.length
    if element.depth and tag != PRIORITY:
        return
    if tag in _PIXELS:
        header.pixel_tag, header.pixel_bytes = tag, length
    elif tag in _NUMBERS and length is not None and length >= 2:
        header._found[tag] = struct.unpack_from(f"{encoding.order}H", data, at)[0]
    elif tag in _TEXTS and length is not None:
        value = bytes(data[at : at + min(length, _MAX_TEXT_BYTES)]).decode("ascii", "replace")
        header._found[tag] = value.strip("\0 ")


def _take(header: Header) -> None:
    found = header._found
    header.rows, header.columns = int(found.get(ROWS, 0)), int(found.get(COLUMNS, 0))
    header.samples, header.allocated = int(found.get(SAMPLES, 1)), int(found.get(ALLOCATED, 0))
    header.stored = int(found.get(STORED, header.allocated))
    if header.pixel_tag == FLOAT_PIXEL_DATA:
        header.allocated = header.stored = 32
    elif header.pixel_tag == DOUBLE_PIXEL_DATA:
        header.allocated = header.stored = 64
    header.photometric, header.priority = str(found.get(PHOTOMETRIC, "")), str(found.get(PRIORITY, "")).upper()
    frames = str(found.get(FRAMES, "1"))
    if not re.fullmatch(r"[+]?\d{1,12}", frames):
        raise DamagedSource("Number of Frames is not a number")
    header.frames = int(frames)


class _Context(NamedTuple):
    """A sequence or an item that is being walked. ``end`` is None if its length is undefined."""

    is_item: bool
    end: int | None
    encoding: Encoding


def walk(data: bytes | memoryview, encoding: Encoding, at: int = 0) -> Iterator[Element]:
    """Yield the data elements from ``at`` on, those in sequences included, up to encapsulated pixel data.

    Sequences of a defined length are entered where their VR is explicit. Raises DamagedSource or OverLimits.
    """
    contexts: list[_Context] = []
    size, count = len(data), 0
    while True:
        _leave_ended(contexts, at)
        if at >= size:
            if contexts:
                raise DamagedSource("The file ends within a sequence")
            return
        count += 1
        if count > limits.MAX_ELEMENTS:
            raise OverLimits(f"The file has more than {limits.MAX_ELEMENTS:,} data elements")
        current = contexts[-1].encoding if contexts else encoding
        tag, vr, length, value = _read_element(data, at, current)
        if tag in (_ITEM_END, _SEQUENCE_END):
            _leave(contexts, is_item=tag == _ITEM_END)
            at = value
            continue
        end = None if length is None else value + length
        if end is not None and end > _find_end(contexts, size):
            raise DamagedSource("A data element is longer than what contains it")
        if tag == _ITEM:
            _check_item(contexts)
            contexts.append(_Context(is_item=True, end=end, encoding=current))
            at = value
            continue
        if contexts and not contexts[-1].is_item:
            raise DamagedSource("A sequence has something other than items")
        yield Element(tag, value, length, len(contexts) // 2)
        if tag == PIXEL_DATA and length is None:
            return
        inner = _enter(vr, length, current)
        if inner is None:
            at = value + (length or 0)
            continue
        contexts.append(_Context(is_item=False, end=end, encoding=inner))
        if len(contexts) > 2 * limits.MAX_DEPTH:
            raise OverLimits(f"Sequences are nested more than {limits.MAX_DEPTH} deep")
        at = value


def _leave_ended(contexts: list[_Context], at: int) -> None:
    while contexts and (end := contexts[-1].end) is not None and at >= end:
        contexts.pop()


def _find_end(contexts: Sequence[_Context], size: int) -> int:
    """Return where the innermost context of a defined length ends."""
    return next((one.end for one in reversed(contexts) if one.end is not None), size)


def _check_item(contexts: Sequence[_Context]) -> None:
    if not contexts or contexts[-1].is_item:
        raise DamagedSource("An item is outside of a sequence")


def _leave(contexts: list[_Context], *, is_item: bool) -> None:
    if not contexts or contexts[-1].is_item != is_item or contexts[-1].end is not None:
        raise DamagedSource("A delimiter is where no sequence ends")
    contexts.pop()


def _enter(vr: bytes, length: int | None, encoding: Encoding) -> Encoding | None:
    """Return how the items of a value are encoded; None if the value is no sequence. Raises DamagedSource."""
    if vr == b"SQ":
        return encoding
    if length is not None:
        return None
    if vr == b"UN":  # PS3.5, 6.2.2: a sequence in implicit VR, little endian
        return Encoding("<", explicit=False)
    if not encoding.explicit:
        return encoding
    raise DamagedSource("The length of a value is undefined")


def _read_element(data: bytes | memoryview, at: int, encoding: Encoding) -> tuple[int, bytes, int | None, int]:
    """Return tag, VR, length and the place of the value."""
    try:
        group, number = struct.unpack_from(f"{encoding.order}HH", data, at)
        tag = group << 16 | number
        if tag in (_ITEM, _ITEM_END, _SEQUENCE_END) or not encoding.explicit:
            [length] = struct.unpack_from(f"{encoding.order}I", data, at + 4)
            vr, value = b"", at + 8
        else:
            vr = bytes(data[at + 4 : at + 6])
            if _VR.fullmatch(vr) is None:
                raise DamagedSource("A data element has no value representation")
            if vr in _LONG_VRS:
                [length] = struct.unpack_from(f"{encoding.order}I", data, at + 8)
                value = at + 12
            else:
                [length] = struct.unpack_from(f"{encoding.order}H", data, at + 6)
                value = at + 8
    except struct.error as error:
        raise DamagedSource("The file ends within a data element") from error
    return tag, vr, None if length == _UNDEFINED else length, value
