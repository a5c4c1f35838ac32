"""Find private metadata with ExifTool; tests that use it are skipped without it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="exiftool (libimage-exiftool-perl) is not installed")

ASKED = ("EXIF", "XMP", "IPTC", "MakerNotes", "GPS", "Photoshop", "MPF", "Trailer", "APP2", "PNG")
_PNG_STRUCTURE = """
    ImageWidth ImageHeight BitDepth ColorType Compression Filter Interlace ProfileName ICC_Profile WhitePointX
    WhitePointY RedX RedY GreenX GreenY BlueX BlueY BackgroundColor Gamma SRGBRendering SignificantBits Palette
    Transparency AnimationFrames AnimationPlays
"""
STRUCTURE = frozenset(f"PNG:{name}" for name in _PNG_STRUCTURE.split()) | {
    "PNG-pHYs:PixelsPerUnitX",
    "PNG-pHYs:PixelsPerUnitY",
    "PNG-pHYs:PixelUnits",
}
"""Parameters of PNG decoding, which ExifTool lists beside its texts."""


def private_parts(*paths: Path) -> dict[str, list[str]]:
    """For each file's name the ``group:tag`` of every metadata in it."""
    assert EXIFTOOL is not None
    command = [EXIFTOOL, "-G1", "-a", "-s", "-j", *(f"-{group}:all" for group in ASKED), "-Comment", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, errors="replace")
    return {
        Path(entry["SourceFile"]).name: [tag for tag in entry if tag != "SourceFile" and tag not in STRUCTURE]
        for entry in json.loads(done.stdout or "[]")
    }
