"""Make small files for the further stacks with the standard library: a PDF, a GeoTIFF and a DICOM image."""

from __future__ import annotations

import struct
from collections.abc import Sequence

WEB_MERCATOR = 3857
"""EPSG code of the coordinates of map tiles."""

_HALF_WORLD_M = 20_037_508.342789244
"""Half of the width of the world in Web Mercator."""

_CT_IMAGE, _EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
"""CT Image Storage, and Explicit VR Little Endian (DICOM PS3.6, table A-1)."""


def pdf(width_pt: int, height_pt: int, marker: int) -> bytes:
    """Make a PDF of one page whose left half is red. Files of different ``marker`` differ."""
    content = f"1 0 0 rg 0 0 {width_pt // 2} {height_pt} re f".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width_pt} {height_pt}] /Contents 4 0 R >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
    )
    body, offsets = f"%PDF-1.4\n%{marker}\n".encode(), []
    for number, one in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(objects) + 1, len(body)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (count, rows, count, start)
    )


def geotiff(zoom: int, column: int, row: int, side_px: int = 256) -> bytes:
    """Make a grey GeoTIFF in Web Mercator that covers one map tile exactly."""
    tile_m = 2 * _HALF_WORLD_M / 2**zoom
    west, north = column * tile_m - _HALF_WORLD_M, _HALF_WORLD_M - row * tile_m
    pixels = bytes((x + y) % 256 for y in range(side_px) for x in range(side_px))
    short, long, double = (3, "H"), (4, "I"), (12, "d")
    entries: Sequence[tuple[int, tuple[int, str], Sequence[float]]] = (
        (256, short, [side_px]),
        (257, short, [side_px]),
        (258, short, [8]),
        (259, short, [1]),
        (262, short, [1]),
        (273, long, [8]),
        (277, short, [1]),
        (278, short, [side_px]),
        (279, long, [len(pixels)]),
        (33550, double, [tile_m / side_px, tile_m / side_px, 0]),
        (33922, double, [0, 0, 0, west, north, 0]),
        (34735, short, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, WEB_MERCATOR]),
    )
    directory = 8 + len(pixels)
    after, further = directory + 2 + 12 * len(entries) + 4, b""
    rows = b""
    for tag, (kind, letter), values in entries:
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        if len(packed) > 4:
            rows += struct.pack("<HHII", tag, kind, len(values), after + len(further))
            further += packed
        else:
            rows += struct.pack("<HHI4s", tag, kind, len(values), packed)
    head = struct.pack("<2sHI", b"II", 42, directory)
    return head + pixels + struct.pack("<H", len(entries)) + rows + struct.pack("<I", 0) + further


def dicom(study: str, series: str, instance: str, patient: str, side_px: int = 64) -> bytes:
    """Make a CT image of 16 bits, a ramp, with the UIDs and the patient's name that are given."""
    pixels = b"".join(struct.pack("<H", number % 4096) for number in range(side_px * side_px))
    size, bits, one = (struct.pack("<H", number) for number in (side_px, 16, 1))
    elements = (
        (0x0008, 0x0016, b"UI", _CT_IMAGE.encode()),
        (0x0008, 0x0018, b"UI", instance.encode()),
        (0x0008, 0x0060, b"CS", b"CT"),
        (0x0010, 0x0010, b"PN", patient.encode()),
        (0x0020, 0x000D, b"UI", study.encode()),
        (0x0020, 0x000E, b"UI", series.encode()),
        (0x0020, 0x0013, b"IS", b"1"),
        (0x0028, 0x0002, b"US", one),
        (0x0028, 0x0004, b"CS", b"MONOCHROME2"),
        (0x0028, 0x0010, b"US", size),
        (0x0028, 0x0011, b"US", size),
        (0x0028, 0x0100, b"US", bits),
        (0x0028, 0x0101, b"US", bits),
        (0x0028, 0x0102, b"US", struct.pack("<H", 15)),
        (0x0028, 0x0103, b"US", struct.pack("<H", 0)),
        (0x0028, 0x0301, b"CS", b"NO"),
        (0x7FE0, 0x0010, b"OW", pixels),
    )
    meta = b"".join(
        _element(0x0002, number, kind, value)
        for number, kind, value in (
            (0x0001, b"OB", b"\0\1"),
            (0x0002, b"UI", _CT_IMAGE.encode()),
            (0x0003, b"UI", instance.encode()),
            (0x0010, b"UI", _EXPLICIT.encode()),
            (0x0012, b"UI", b"2.25.1"),
        )
    )
    length = _element(0x0002, 0x0000, b"UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + b"".join(_element(*one) for one in elements)


def _element(group: int, number: int, kind: bytes, value: bytes) -> bytes:
    """Return an element in Explicit VR Little Endian (DICOM PS3.5, section 7.1.2)."""
    if len(value) % 2:
        value += b"\0" if kind in (b"UI", b"OB") else b" "
    head = struct.pack("<HH", group, number) + kind
    if kind in (b"OB", b"OW"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value
