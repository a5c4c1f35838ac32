"""Provenance: metadata is read in the order of precedence, within limits, and hostile input is harmless."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from PIL import TiffImagePlugin

from darkroom.imaging.formats.metadata.image_metadata import MAX_CHARACTERS, clean_text
from tests.corpus import CORPUS
from tests.images.cameras import camera_files
from tests.images.exiftool import EXIFTOOL, needs_exiftool
from tests.images.metadata_files import datasets, exif, jpeg, packet, provenance_of
from tests.images.planted import planted
from tests.images.sources import photo, saved

from .test_corpus import SHOWN

pytestmark = pytest.mark.never_skips

FULL = exif(
    {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D5200", 0x013B: "Ann; Bob", 0x8298: "(c) 2024 Ann"},
    {0x9003: "2024:05:06 07:08:09", 0x9291: "123", 0x9011: "+02:00", 0xA434: "AF-S 35mm f/1.8"},
    {1: "S", 2: (33.0, 51.0, 31.5), 3: "W", 4: (70.0, 30.0, 0.0), 5: b"\1", 6: 12.5},
)
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
URL_OF_MANIFEST = "dcterms:provenance='https://a.example/m.c2pa'"


def test_everything_of_exif() -> None:
    assert provenance_of(jpeg(block=FULL)) == {
        "captured_at": "2024-05-06T07:08:09.123+02:00",
        "camera": "NIKON D5200",
        "lens": "AF-S 35mm f/1.8",
        "creator": "Ann; Bob",
        "copyright": "(c) 2024 Ann",
        "gps": {"latitude": -33.85875, "longitude": -70.5, "altitude": -12.5},
    }


def test_gps_only_where_it_is_wanted() -> None:
    assert "gps" not in provenance_of(jpeg(block=FULL), keep_gps=False)
    assert "-70" not in json.dumps(provenance_of(jpeg(block=FULL), keep_gps=False))


def test_both_byte_orders() -> None:
    block = exif({0x010F: "Leica", 0x0110: "Q3"}, {0x9003: "2024:05:06 07:08:09"}, order=">")
    assert block.startswith(b"MM")
    assert provenance_of(jpeg(block=block)) == {"captured_at": "2024-05-06T07:08:09", "camera": "Leica Q3"}


@pytest.mark.parametrize("place", ["box", "item", "both"])
def test_avif_has_xmp_in_an_item_or_in_a_box_and_the_item_comes_first(place: str) -> None:
    item, body = packet("<dc:creator>Ann</dc:creator>"), packet("<dc:creator>Bob</dc:creator>", URL_OF_MANIFEST)
    data = saved(photo().resize((8, 8)), "AVIF", **({} if place == "box" else {"xmp": item.encode()}))
    box = (24 + len(body.encode())).to_bytes(4) + b"uuid" + XMP_BOX + body.encode()
    found = provenance_of(data if place == "item" else data + box)
    assert found["creator"] == ("Bob" if place == "box" else "Ann")
    elsewhere = {"embedded": False, "url": "https://a.example/m.c2pa"}
    assert found.get("content_credentials") == (None if place == "item" else elsewhere)


@pytest.mark.parametrize("size", [0, 8, 23, 24, 30, 2**32 - 1])
def test_an_xmp_box_of_a_wrong_size_is_harmless(size: int) -> None:
    body = saved(photo().resize((8, 8)), "AVIF") + size.to_bytes(4) + b"uuid" + XMP_BOX + b"<x:xmpmeta>"
    assert provenance_of(body) == {}


@pytest.mark.parametrize("name", [name for name in planted() if name != "tiff of three pages"])
def test_every_format_is_read(name: str) -> None:
    found = provenance_of(planted()[name])
    assert found["creator"] in ("secret artist", "secret author")
    assert found["gps"]["latitude"] == pytest.approx(52.5, abs=0.01)
    if name.startswith(("jpeg", "png", "webp", "avif", "heic", "tiff")):
        assert found["captured_at"] == "2024-05-06T07:08:09"
        assert found["creator"] == "secret artist"


def test_an_image_without_metadata() -> None:
    for form in ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF"):
        assert provenance_of(saved(photo().resize((9, 9)), form)) == {}


def test_all_of_xmp() -> None:
    properties = (
        "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>"
        "<dc:rights><rdf:Alt><rdf:li xml:lang='de'>Rechte</rdf:li>"
        "<rdf:li xml:lang='x-default'>Rights</rdf:li></rdf:Alt></dc:rights>"
        "<photoshop:Credit>Agency &amp; Co</photoshop:Credit>"
        "<xmpMM:Ingredients><rdf:Bag><rdf:li><rdf:Description><dc:creator>Eve</dc:creator></rdf:Description></rdf:li>"
        "</rdf:Bag></xmpMM:Ingredients>"
    )
    attributes = (
        "photoshop:DateCreated='2024-05-06T07:08:09.5+02:00' tiff:Make='Canon' tiff:Model='R5' aux:Lens='RF 50' "
        "exif:GPSLatitude='33,51.525S' exif:GPSLongitude='70,30,30W' exif:GPSAltitude='25/2' exif:GPSAltitudeRef='0'"
    )
    assert provenance_of(jpeg(packet=packet(properties, attributes))) == {
        "captured_at": "2024-05-06T07:08:09.5+02:00",
        "camera": "Canon R5",
        "lens": "RF 50",
        "creator": "Ann; Bob",
        "copyright": "Rights",
        "credit": "Agency & Co",
        "gps": {"latitude": -33.85875, "longitude": -70.5083333, "altitude": 12.5},
    }


def test_all_of_iim() -> None:
    body = datasets(
        (1, 90, b"\x1b%G"),
        (2, 80, "Zoë".encode()),
        (2, 80, b"Bob"),
        (2, 110, b"Agency"),
        (2, 116, "© Zoë".encode()),
        (2, 55, b"20240506"),
        (2, 60, b"070809+0200"),
    )
    wanted = {
        "captured_at": "2024-05-06T07:08:09+02:00",
        "creator": "Zoë; Bob",
        "copyright": "© Zoë",
        "credit": "Agency",
    }
    assert provenance_of(jpeg(datasets=body)) == wanted
    assert provenance_of(jpeg(datasets=datasets((2, 80, "Zoë".encode("latin-1"))))) == {"creator": "Zoë"}
    assert provenance_of(jpeg(datasets=datasets((2, 55, b"20240506")))) == {"captured_at": "2024-05-06"}


def test_exif_comes_first_then_iim_then_xmp() -> None:
    block = exif({0x013B: "by EXIF"})
    body = datasets((2, 80, b"by IIM"), (2, 116, b"IIM's"), (2, 110, b"IIM"))
    other = packet(
        "<dc:creator>by XMP</dc:creator><dc:rights>XMP's</dc:rights><photoshop:Credit>XMP</photoshop:Credit>",
        "aux:Lens='50 mm'",
    )
    assert provenance_of(jpeg(block=block, packet=other, datasets=body)) == {
        "creator": "by EXIF",
        "copyright": "IIM's",
        "credit": "IIM",
        "lens": "50 mm",
    }
    assert provenance_of(jpeg(packet=other))["creator"] == "by XMP"
    agreed, changed = (md5(text).digest() for text in (body, b"before it was changed"))
    assert provenance_of(jpeg(packet=other, datasets=body, digest=agreed))["creator"] == "by XMP"
    assert provenance_of(jpeg(packet=other, datasets=body, digest=changed))["creator"] == "by IIM"


def test_the_time_of_digitising_is_the_fallback() -> None:
    scanned = exif({}, {0x9004: "2020:01:01 00:00:00"})
    assert provenance_of(jpeg(block=scanned)) == {"captured_at": "2020-01-01T00:00:00"}
    assert provenance_of(jpeg(block=scanned, packet=packet(attributes="photoshop:DateCreated='1950'"))) == {
        "captured_at": "2020-01-01T00:00:00"
    }
    assert provenance_of(jpeg(block=scanned, packet=packet(attributes="photoshop:DateCreated='1950-02-03'"))) == {
        "captured_at": "1950-02-03"
    }


def test_long_text_is_cut() -> None:
    assert len(provenance_of(jpeg(block=exif({0x013B: "y" * 20_000})))["creator"]) == MAX_CHARACTERS


def test_text_in_other_encodings() -> None:
    """EXIF text should be ASCII, and is not; two holders of a copyright are divided by NUL."""
    for body, wanted in (("Zoë".encode(), "Zoë"), ("Zoë".encode("latin-1"), "Zoë"), (b"Ann\0Ed\0", "Ann; Ed")):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[0x8298] = "placeholder text"
        block = exif(dict(info))
        assert (
            provenance_of(jpeg(block=block.replace(b"placeholder text", body.ljust(16, b"\0"))))["copyright"] == wanted
        )


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (52.0, 0.0, 0.0)},
        {1: "N", 2: (TiffImagePlugin.IFDRational(1, 0), 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
    ],
)
def test_places_that_are_none(gps: dict[int, Any]) -> None:
    assert provenance_of(jpeg(block=exif({}, None, gps))) == {}


def by_exiftool(paths: list[Path]) -> dict[str, dict[str, Any]]:
    tags = (
        "MWG:DateTimeOriginal",
        "MWG:CreateDate",
        "MWG:Creator",
        "MWG:Copyright",
        "EXIF:LensModel",
        "XMP-photoshop:Credit",
    )
    command = [
        str(EXIFTOOL),
        "-use",
        "MWG",
        "-j",
        "-G0",
        "-n",
        *(f"-{tag}" for tag in tags),
        "-GPSLatitude#",
        "-GPSLongitude#",
        *map(str, paths),
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    return {Path(entry["SourceFile"]).name: entry for entry in json.loads(done.stdout)}


def write_generated(folder: Path) -> list[Path]:
    """Write the files with planted metadata into ``folder``."""
    for name, data in (planted() | camera_files()).items():
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


def list_corpus(_: Path) -> list[Path]:
    return [CORPUS / name for name in SHOWN if not name.endswith((".svg", ".gif"))]


@pytest.mark.slow
@needs_exiftool
@pytest.mark.parametrize("list_files", [write_generated, *([list_corpus] if CORPUS.is_dir() else [])])
def test_exiftool_reads_the_same(list_files: Callable[[Path], list[Path]], tmp_path: Path) -> None:
    paths = list_files(tmp_path)
    compared = 0
    for name, wanted in by_exiftool(paths).items():
        found = provenance_of(next(path for path in paths if path.name == name).read_bytes())
        taken = wanted.get("Composite:DateTimeOriginal") or wanted.get("Composite:CreateDate")
        if taken and not taken.startswith("0000"):
            date, _, clock = taken.partition(" ")
            assert found["captured_at"] == f"{date.replace(':', '-')}T{clock}", name
            compared += 1
        for ours, theirs in (
            ("creator", "Composite:Creator"),
            ("copyright", "Composite:Copyright"),
            ("lens", "EXIF:LensModel"),
        ):
            if str(wanted.get(theirs, "")).strip():
                assert found[ours] == clean_text(str(wanted[theirs])), (name, ours)
                compared += 1
        if "Composite:GPSLatitude" in wanted:
            assert found["gps"]["latitude"] == pytest.approx(wanted["Composite:GPSLatitude"], abs=1e-5)
            assert found["gps"]["longitude"] == pytest.approx(wanted["Composite:GPSLongitude"], abs=1e-5)
            compared += 1
    assert compared > 20
