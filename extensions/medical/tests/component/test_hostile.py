"""Hostile files are refused in bounded memory, with a reason, and are kept in the quarantine."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from medical import limits
from tests.peak_memory import read_peak_kb, reset_peak

from .files import make, save, shipped
from .world import UPLOADS, World


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element in explicit VR, little endian."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    if vr in (b"OB", b"OW", b"UN", b"SQ"):
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def spliced(before: int, inserted: bytes, dataset: Dataset | None = None) -> bytes:
    """A file with ``inserted`` before the element with the tag ``before``."""
    body = save(dataset or make())
    mark = struct.pack("<HH", before >> 16, before & 0xFFFF)
    at = body.index(mark, 400)
    return body[:at] + inserted + body[at:]


def truncated() -> bytes:
    body = save(make())
    return body[: len(body) // 2]


def huge_rows() -> bytes:
    return save(make(Rows=65_535, Columns=65_535))


def many_frames() -> bytes:
    return save(make(NumberOfFrames=2_000_000_000))


def large_frames() -> bytes:
    return save(make(Rows=8_000, Columns=8_000, NumberOfFrames=2_000))


def deflated_bomb() -> bytes:
    """0.3 MB, which inflate to 335 MB."""
    dataset = make()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    body = save(dataset)
    head = body[: 132 + 12 + struct.unpack_from("<I", body, 140)[0]]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(16 * 1024 * 1024)
    parts = [packer.compress(element(0x00080008, b"CS", b"ORIGINAL"))]
    parts += [packer.compress(struct.pack("<HH", 0x0009, 0x1001) + b"UN\0\0" + struct.pack("<I", 2**31))]
    parts += [packer.compress(zeros) for _ in range(20)]
    return head + b"".join([*parts, packer.flush()])


def nested(vr: bytes = b"SQ", depth: int = 20_000) -> bytes:
    """Sequences of undefined length in each other."""
    one = (
        struct.pack("<HH", 0x0008, 0x1140) + vr + b"\0\0" + b"\xff" * 4 + struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1)
    )
    return spliced(0x00080060, one * depth)


def nested_in_defined_lengths() -> bytes:
    inner = b""
    for _ in range(200):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = element(0x00081140, b"SQ", item)
    return spliced(0x00080060, inner)


def private_maze() -> bytes:
    one = element(0x00091001, b"LO", b"")
    return spliced(0x00200013, one * (limits.MAX_ELEMENTS + 1))


def unknown_transfer_syntax() -> bytes:
    dataset = dcmread(shipped("CT_small.dcm"))
    body = save(make())
    return body.replace(str(dataset.file_meta.TransferSyntaxUID).encode(), b"1.2.840.10008.1.9.9", 1)


def compressed(syntax: str, stream: bytes, **attributes: object) -> bytes:
    dataset = make(**attributes)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return save(dataset)


def damaged_stream(name: str, syntax: str, kept: int, *, ends: bool = True) -> bytes:
    """A shipped file whose stream is noise after ``kept`` bytes, or that ends there."""
    from pydicom.encaps import generate_frames

    dataset = dcmread(shipped(name))
    [stream] = generate_frames(dataset.PixelData, number_of_frames=1)
    noise = random.Random(5).randbytes(len(stream) - kept) + b"\xff\xd9" if ends else b""
    return compressed(syntax, stream[:kept] + noise, Rows=dataset.Rows, Columns=dataset.Columns)


def jpeg_with_another_size() -> bytes:
    """A JPEG that declares 65,500 x 65,500 px in an image of 48 x 64 px."""
    sof = bytes([0xFF, 0xC0, 0, 11, 8]) + struct.pack(">HH", 65_500, 65_500) + bytes([1, 1, 0x11, 0])
    tables = bytes([0xFF, 0xDB, 0, 67, 0, *[1] * 64])
    huffman = bytes([0xFF, 0xC4, 0, 20, 0, 1, *[0] * 15, 0]) + bytes([0xFF, 0xC4, 0, 20, 16, 1, *[0] * 15, 0])
    scan = bytes([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0]) + bytes(2000)
    stream = b"\xff\xd8" + tables + sof + huffman + scan + b"\xff\xd9"
    eight = np.zeros((48, 64), np.uint8)
    return compressed(JPEGBaseline8Bit, stream, pixels=eight)


def j2k_with_another_size() -> bytes:
    """A JPEG 2000 codestream that declares 60,000 x 60,000 px."""
    from pydicom.encaps import generate_frames

    dataset = dcmread(shipped("MR_small_jp2klossless.dcm"))
    [stream] = generate_frames(dataset.PixelData, number_of_frames=1)
    at = stream.index(b"\xff\x51") + 6
    sizes = struct.pack(">4I", 60_000, 60_000, 0, 0) + struct.pack(">4I", 60_000, 60_000, 0, 0)
    return compressed(JPEG2000Lossless, stream[:at] + sizes + stream[at + 32 :], Rows=64, Columns=64)


def rle_bomb() -> bytes:
    """12 MB, which are 800 MB after decompression."""
    segment = b"\x81\x00" * 6_000_000
    stream = struct.pack("<16I", 2, 64, 64 + len(segment), *[0] * 13) + segment + segment[:400]
    return compressed(RLELossless, stream)


def table_longer_than_its_data() -> bytes:
    table = Dataset()
    table.LUTDescriptor = [0, 0, 16]
    table.add_new(0x00283006, "OW", b"\1\2")
    return save(make(ModalityLUTSequence=Sequence([table])))


def implicit_with_an_endless_element() -> bytes:
    dataset = make()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    body = save(dataset)
    mark = struct.pack("<HHI", 0x7FE0, 0x0010, 6144)
    return body.replace(mark, struct.pack("<HHI", 0x7FE0, 0x0010, 0xFFFFFFF0))


def not_dicom() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(500)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated": (truncated, "damaged"),
    "huge rows and columns": (huge_rows, "over-limits"),
    "two billion frames": (many_frames, "over-limits"),
    "256 GB of frames": (large_frames, "over-limits"),
    "deflated bomb": (deflated_bomb, "over-limits"),
    "nested sequences": (nested, "over-limits"),
    "nested unknown values": (lambda: nested(b"UN", 30), "damaged"),
    "nested defined lengths": (nested_in_defined_lengths, "over-limits"),
    "private maze": (private_maze, "over-limits"),
    "unknown transfer syntax": (unknown_transfer_syntax, "type-not-allowed"),
    "bad JPEG 2000": (lambda: damaged_stream("MR_small_jp2klossless.dcm", JPEG2000Lossless, 55), "damaged"),
    "short JPEG 2000": (
        lambda: damaged_stream("MR_small_jp2klossless.dcm", JPEG2000Lossless, 900, ends=False),
        "damaged",
    ),
    "bad JPEG-LS": (lambda: damaged_stream("MR_small_jpeg_ls_lossless.dcm", JPEGLSLossless, 60), "damaged"),
    "bad lossless JPEG": (lambda: compressed(JPEGLosslessSV1, b"\xff\xd8\xff\xc3" + bytes(500)), "damaged"),
    "JPEG of another size": (jpeg_with_another_size, "damaged"),
    "JPEG 2000 of another size": (j2k_with_another_size, "damaged"),
    "RLE bomb": (rle_bomb, "damaged"),
    "short lookup table": (table_longer_than_its_data, "damaged"),
    "endless element": (implicit_with_an_endless_element, "damaged"),
    "no DICOM file": (not_dicom, "type-not-allowed"),
}
FAST = ("truncated", "nested sequences", "JPEG of another size")
CASES = [pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in HOSTILE]


MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:], close_fds=False).returncode
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status if status >= 0 else 1)
"""
"""Runs the decoder from a small process: the peak of a process includes that of the one that has started it."""


@pytest.fixture
def peak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file with the peak memory of the decoder in KB, if it was started."""
    own, found = subprocess.run, tmp_path / "peak"

    def run(command: list[str], **options: Any) -> Any:
        return own([sys.executable, "-S", "-c", MEASURE, str(found), *command], **options)

    monkeypatch.setattr(
        "darkroom_pipeline.conversion.sandbox.subprocess", SimpleNamespace(**{**vars(subprocess), "run": run})
    )
    return found


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_and_quarantined(world: World, name: str, peak: Path) -> None:
    world.empty()
    build, code = HOSTILE[name]
    body = build()
    reset_peak()
    before_kb = read_peak_kb()
    outcome = world.upload(body, "hostile.dcm")
    assert (outcome.outcome, outcome.code) == ("refused", code), outcome
    assert world.names(UPLOADS) == [f"quarantine/{outcome.upload}.{kind}" for kind in ("dcm", "json")]
    assert world.objects(UPLOADS)[f"quarantine/{outcome.upload}.dcm"] == body
    reason = json.loads(world.objects(UPLOADS)[f"quarantine/{outcome.upload}.json"])
    assert reason == {"code": code, "reason": outcome.reason}
    assert len(outcome.reason) > 10
    own_mb = (read_peak_kb() - before_kb) / 1024
    assert own_mb < 300, "of the ingest itself"
    decoder_mb = int(peak.read_text()) / 1024 if peak.exists() else 0
    assert decoder_mb < 1_200, "of the process that decodes"
