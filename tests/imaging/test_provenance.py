"""Provenance: what a file says is read in the right order, bounded, and never does harm."""

from __future__ import annotations

import json
import subprocess
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from darkroom.imaging.annotations import iim, xmp
from darkroom.imaging.annotations.facts import MAX_CHARACTERS, camera_of, moment, text_of
from darkroom.imaging.header import Header, inspect
from darkroom.imaging.provenance import provenance
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

from .conftest import CORPUS
from .exiftool import EXIFTOOL, needs_exiftool
from .planted import planted
from .sources import photo, saved
from .test_corpus import SHOWN

ASKED = ("captured_at", "camera", "lens", "creator", "copyright", "credit")


def told(data: bytes, *, keep_gps: bool = True) -> dict[str, Any]:
    found = provenance(data, inspect(Source.of(data), Limits()), keep_gps=keep_gps)
    assert json.loads(json.dumps(found)) == found
    return found


def exif(
    main: dict[int, Any], shot: dict[int, Any] | None = None, gps: dict[int, Any] | None = None, order: str = "<"
) -> bytes:
    block = Image.Exif()
    block.endian = order
    block.update(main)
    if shot:
        block.get_ifd(0x8769).update(shot)
    if gps:
        block.get_ifd(0x8825).update(gps)
    return block.tobytes().removeprefix(b"Exif\0\0")


def jpeg(*, block: bytes = b"", packet: str = "", datasets: bytes = b"", digest: bytes = b"") -> bytes:
    """A JPEG with nothing but these."""
    parts = []
    if block:
        parts.append((0xE1, b"Exif\0\0" + block))
    if packet:
        parts.append((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()))
    if datasets:
        irb = b"8BIM\x04\x04\0\0" + len(datasets).to_bytes(4) + datasets + b"\0" * (len(datasets) & 1)
        if digest:
            irb += b"8BIM\x04\x25\0\0\0\0\0\x10" + digest
        parts.append((0xED, b"Photoshop 3.0\0" + irb))
    plain = saved(photo().resize((8, 8)), "JPEG")
    told = b"".join(b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2) + body for marker, body in parts)
    return plain[:2] + told + plain[2:]


def packet(properties: str = "", attributes: str = "") -> str:
    names = {
        "dc": "http://purl.org/dc/elements/1.1/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "aux": "http://ns.adobe.com/exif/1.0/aux/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    }
    spaces = " ".join(f"xmlns:{short}='{name}'" for short, name in names.items())
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about='' {spaces} {attributes}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"
        "<?xpacket end='w'?>"
    )


def datasets(*pairs: tuple[int, int, bytes]) -> bytes:
    return b"".join(bytes((0x1C, record, number)) + len(value).to_bytes(2) + value for record, number, value in pairs)


FULL = exif(
    {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D5200", 0x013B: "Ann; Bob", 0x8298: "(c) 2024 Ann"},
    {0x9003: "2024:05:06 07:08:09", 0x9291: "123", 0x9011: "+02:00", 0xA434: "AF-S 35mm f/1.8"},
    {1: "S", 2: (33.0, 51.0, 31.5), 3: "W", 4: (70.0, 30.0, 0.0), 5: b"\1", 6: 12.5},
)


def test_everything_of_exif() -> None:
    assert told(jpeg(block=FULL)) == {
        "captured_at": "2024-05-06T07:08:09.123+02:00",
        "camera": "NIKON D5200",
        "lens": "AF-S 35mm f/1.8",
        "creator": "Ann; Bob",
        "copyright": "(c) 2024 Ann",
        "gps": {"latitude": -33.85875, "longitude": -70.5, "altitude": -12.5},
    }


def test_gps_only_where_it_is_wanted() -> None:
    assert "gps" not in told(jpeg(block=FULL), keep_gps=False)
    assert "-70" not in json.dumps(told(jpeg(block=FULL), keep_gps=False))


def test_both_byte_orders() -> None:
    block = exif({0x010F: "Leica", 0x0110: "Q3"}, {0x9003: "2024:05:06 07:08:09"}, order=">")
    assert block.startswith(b"MM")
    assert told(jpeg(block=block)) == {"captured_at": "2024-05-06T07:08:09", "camera": "Leica Q3"}


@pytest.mark.parametrize("name", [name for name in planted() if name != "tiff of three pages"])
def test_every_format_is_read(name: str) -> None:
    found = told(planted()[name])
    assert found["creator"] in ("secret artist", "secret author")
    assert found["gps"]["latitude"] == pytest.approx(52.5, abs=0.01)
    if name.startswith(("jpeg", "png", "webp", "avif", "heic", "tiff")):
        assert found["captured_at"] == "2024-05-06T07:08:09"
        assert found["creator"] == "secret artist"


def test_a_picture_that_says_nothing() -> None:
    for form in ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF"):
        assert told(saved(photo().resize((9, 9)), form)) == {}


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
    assert told(jpeg(packet=packet(properties, attributes))) == {
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
    assert told(jpeg(datasets=body)) == wanted
    assert told(jpeg(datasets=datasets((2, 80, "Zoë".encode("latin-1"))))) == {"creator": "Zoë"}
    assert told(jpeg(datasets=datasets((2, 55, b"20240506")))) == {"captured_at": "2024-05-06"}


def test_exif_comes_first_then_iim_then_xmp() -> None:
    block = exif({0x013B: "by EXIF"})
    body = datasets((2, 80, b"by IIM"), (2, 116, b"IIM's"), (2, 110, b"IIM"))
    other = packet(
        "<dc:creator>by XMP</dc:creator><dc:rights>XMP's</dc:rights><photoshop:Credit>XMP</photoshop:Credit>",
        "aux:Lens='50 mm'",
    )
    assert told(jpeg(block=block, packet=other, datasets=body)) == {
        "creator": "by EXIF",
        "copyright": "IIM's",
        "credit": "IIM",
        "lens": "50 mm",
    }
    assert told(jpeg(packet=other))["creator"] == "by XMP"
    agreed, changed = (md5(text).digest() for text in (body, b"before somebody changed it"))
    assert told(jpeg(packet=other, datasets=body, digest=agreed))["creator"] == "by XMP"
    assert told(jpeg(packet=other, datasets=body, digest=changed))["creator"] == "by IIM"


def test_when_it_was_digitised_only_where_nothing_says_when_it_was_taken() -> None:
    scanned = exif({}, {0x9004: "2020:01:01 00:00:00"})
    assert told(jpeg(block=scanned)) == {"captured_at": "2020-01-01T00:00:00"}
    assert told(jpeg(block=scanned, packet=packet(attributes="photoshop:DateCreated='1950'"))) == {
        "captured_at": "2020-01-01T00:00:00"
    }
    assert told(jpeg(block=scanned, packet=packet(attributes="photoshop:DateCreated='1950-02-03'"))) == {
        "captured_at": "1950-02-03"
    }


@pytest.mark.parametrize(
    ("text", "extra", "wanted"),
    [
        ("2024:05:06 07:08:09", {}, "2024-05-06T07:08:09"),
        ("2024:05:06 07:08:09", {"subseconds": "040 ", "offset": "-03:30"}, "2024-05-06T07:08:09.040-03:30"),
        ("2024:05:06 07:08:09", {"subseconds": "1e5", "offset": "+25:00"}, "2024-05-06T07:08:09"),
        ("2024-05-06T07:08Z", {}, "2024-05-06T07:08:00Z"),
        ("2024-05-06", {}, "2024-05-06"),
        ("0000:00:00 00:00:00", {}, ""),
        ("    :  :     :  :  ", {}, ""),
        ("2023:02:29 07:08:09", {}, ""),
        ("2024:05:06 24:00:00", {}, ""),
        ("٢٠٢٤:05:06 07:08:09", {"subseconds": "٣"}, ""),
        ("yesterday", {}, ""),
        ("", {}, ""),
    ],
)
def test_moments(text: str, extra: dict[str, str], wanted: str) -> None:
    assert moment(text, **extra) == wanted


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D80", "NIKON D80"),
        ("Apple", "iPhone 13", "Apple iPhone 13"),
        ("SONY   ", "  ILCE-7\0\0", "SONY ILCE-7"),
        ("", "K-1", "K-1"),
        ("Hasselblad", "", "Hasselblad"),
        ("", "", ""),
    ],
)
def test_cameras(make: str, model: str, camera: str) -> None:
    assert camera_of(make, model) == camera


def test_text_is_one_bounded_line_of_what_can_be_seen() -> None:
    assert text_of("a\u202eb\n\tc\0d\x1b[31m\ud800") == "a b c d [31m"
    assert text_of(["", "  ", "one", "two", "one"]) == "one; two"
    assert len(text_of("x" * 10_000)) == MAX_CHARACTERS
    assert len(told(jpeg(block=exif({0x013B: "y" * 20_000})))["creator"]) == MAX_CHARACTERS


def test_text_in_other_encodings() -> None:
    """EXIF text should be ASCII, and is not; two holders of a copyright are divided by NUL."""
    for body, wanted in (("Zoë".encode(), "Zoë"), ("Zoë".encode("latin-1"), "Zoë"), (b"Ann\0Ed\0", "Ann; Ed")):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[0x8298] = "placeholder text"
        block = exif(dict(info))
        assert told(jpeg(block=block.replace(b"placeholder text", body.ljust(16, b"\0"))))["copyright"] == wanted


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
    assert told(jpeg(block=exif({}, None, gps))) == {}


def bomb() -> str:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
    return f"<!DOCTYPE x [<!ENTITY e0 'ha'>{entities}]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&e11;</x:xmpmeta>"


HOSTILE = {
    "a bomb of entities": jpeg(packet=bomb()),
    "an external entity": jpeg(packet="<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
    "a million elements": jpeg(packet="<a>" * 15_000),
    "not XML": jpeg(packet="<rdf:RDF"),
    "a directory that is its own": jpeg(block=b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"),
    "a text of 4 GB": jpeg(block=b"II*\0\x08\0\0\0\1\0\x3b\1\2\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0"),
    "65,535 entries": jpeg(block=b"II*\0\x08\0\0\0\xff\xff" + b"\x3b\1\2\0\xff\xff\0\0\0\0\0\0" * 5_000),
    "a resource that is too long": jpeg(datasets=b"x")[:60] + b"\xff" * 9,
    "a data set that is too long": jpeg(datasets=b"\x1c\2\x50\x7f\xffshort"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata_does_no_harm(name: str) -> None:
    header = Header("jpeg", 8, 8)
    found = provenance(HOSTILE[name], header, keep_gps=True)
    assert set(found) <= {*ASKED, "gps"}
    assert "root:" not in json.dumps(found)


def test_a_packed_text_is_unpacked_up_to_a_bound() -> None:
    from PIL import PngImagePlugin

    for size, wanted in ((1_000, {"creator": "Ann"}), (50_000_000, {})):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet("<dc:creator>Ann</dc:creator>") + " " * size, zip=True)
        assert told(saved(photo().resize((9, 9)), "PNG", pnginfo=info)) == wanted


@given(st.sampled_from(sorted(planted())), st.data())
def test_any_mangled_file_says_something_or_nothing(name: str, data: st.DataObject) -> None:
    whole = planted()[name]
    mangled = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, min(len(whole), 4_000) - 1), max_size=12)):
        mangled[at] = data.draw(st.integers(0, 255))
    cut = bytes(mangled[: data.draw(st.integers(0, len(whole)))])
    form = inspect(Source.of(whole), Limits()).format
    found = provenance(cut, Header(form, 9, 9), keep_gps=True)
    assert all(isinstance(found[key], str) and len(found[key]) <= MAX_CHARACTERS for key in found if key != "gps")
    json.dumps(found, allow_nan=False)


@given(st.binary(max_size=400))
@example(b"\x1c\x02\x50\0\5abc")
def test_any_bytes_are_read_as_iim(body: bytes) -> None:
    iim.read(body)
    iim.resources(body)
    iim.resources(b"8BIM" + body)


@given(st.text(max_size=200))
def test_any_text_is_read_as_xmp_or_refused(text: str) -> None:
    try:
        xmp.read(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return


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


@needs_exiftool
@pytest.mark.usefixtures("corpus")
def test_exiftool_reads_the_same_of_the_corpus() -> None:
    paths = [CORPUS / name for name in SHOWN if not name.endswith((".svg", ".gif"))]
    compared = 0
    for name, wanted in by_exiftool(paths).items():
        found = told(next(path for path in paths if path.name == name).read_bytes())
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
                assert found[ours] == text_of(str(wanted[theirs])), (name, ours)
                compared += 1
        if "Composite:GPSLatitude" in wanted:
            assert found["gps"]["latitude"] == pytest.approx(wanted["Composite:GPSLatitude"], abs=1e-5)
            assert found["gps"]["longitude"] == pytest.approx(wanted["Composite:GPSLongitude"], abs=1e-5)
            compared += 1
    assert compared > 20
