"""Rights: what files state of them, by independent readers, and that nothing else is in there."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darkroom.imaging.formats.jpeg.ultrahdr import read_gain_map
from darkroom.imaging.formats.metadata.image_metadata import MAX_CHARACTERS, clean_text, clean_url, parse_source_type
from darkroom.imaging.formats.metadata.locate import embed_rights, locate_blocks
from darkroom.imaging.formats.metadata.rights import MAX_TEXT_BYTES, NO_RIGHTS, NO_TEXT, Rights, compose_metadata
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import parse_path
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from tests.images.drawn import animation
from tests.images.exiftool import EXIFTOOL, needs_exiftool, private_parts
from tests.images.metadata_files import jpeg, packet, provenance_of
from tests.images.rights_files import (
    RIGHTS,
    pixels_of,
    read_by_exiftool,
    read_exif,
    read_packets,
    rights_packet,
    with_rights,
)
from tests.images.sources import cutout, photo, saved

from .test_gainmap import ultra_hdr

pytestmark = pytest.mark.never_skips

FORMATS = ("jpeg", "png", "webp", "avif")
STATED = Rights.from_provenance(RIGHTS)
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
IN_FILES = {
    **RIGHTS,
    "creator": ["Ann Ä", "Bob"],
    "digital_source_type": SOURCE_TYPE,
    "exif artist": "Ann Ä; Bob",
    "exif copyright": "© 2024 Ann & <Bob>",
}
TEXTS = st.text(max_size=600)


def rendered(plan: Plan, data: bytes, rights: str = STATED.text) -> bytes:
    return render(plan, Source.from_bytes(data), limits=Limits(), rights=rights).body


ABOUT = {
    "title": "Bay – evening",
    "alt_text": "A sailing boat in front of a rocky coast, under a red sky",
    "extended_description": "The boat has two masts & no sails set. " * 9,
}


@needs_exiftool
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_texts_that_exiftool_wrote_are_in_json_and_in_no_file(form: str, tmp_path: Path) -> None:
    """Photo editors write alternative texts into XMP, as ExifTool does here; IPTC has a title only."""
    path = tmp_path / f"photo.{form.lower()}"
    path.write_bytes(saved(photo(), form))
    names = {"title": "XMP-dc:Title", "alt_text": "XMP-iptcCore:AltTextAccessibility"}
    names["extended_description"] = "XMP-iptcCore:ExtDescrAccessibility"
    german = ["-XMP-iptcCore:AltTextAccessibility-de=Ein Segelboot"]
    written = [f"-{tag}={ABOUT[name]}" for name, tag in names.items()]
    subprocess.run([str(EXIFTOOL), "-q", *written, *german, str(path)], check=True)
    wanted = {name: text.strip() for name, text in ABOUT.items()}
    provenance = provenance_of(path.read_bytes())
    assert provenance == wanted
    found = Rights.from_provenance(provenance)
    assert Rights.parse(found.text) == found
    assert not found
    document = json.loads(rendered(parse_path("/a/_/full.json"), path.read_bytes(), found.text))
    assert (document["about"], document["rights"]) == (wanted, {})
    assert read_packets(rendered(parse_path("/a/_/cr-1_w-64.webp"), path.read_bytes(), found.text)) == []


@needs_exiftool
def test_a_title_of_iptc_that_exiftool_wrote(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(photo(), "JPEG"))
    subprocess.run(
        [str(EXIFTOOL), "-q", "-codedcharacterset=utf8", "-IPTC:ObjectName=Bucht – abends", str(path)], check=True
    )
    assert provenance_of(path.read_bytes()) == {"title": "Bucht – abends"}


def test_all_of_them_are_read() -> None:
    assert provenance_of(jpeg(packet=rights_packet()), keep_gps=False) == {**RIGHTS, "camera": "Secret"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_all_of_them_are_read_from_each_format(form: str) -> None:
    found = provenance_of(with_rights(form), keep_gps=False)
    assert {name: found[name] for name in RIGHTS} == RIGHTS


@pytest.mark.parametrize(
    ("properties", "attributes", "wanted"),
    [
        (
            "",
            "cc:license='https://creativecommons.org/licenses/by/4.0/'",
            "https://creativecommons.org/licenses/by/4.0/",
        ),
        ("<cc:license rdf:resource='https://cc.example/by'/>", "", "https://cc.example/by"),
        (
            "<cc:license rdf:resource='https://a.example'/>",
            "xmpRights:WebStatement='http://b.example'",
            "http://b.example",
        ),
        ("", "xmpRights:WebStatement='javascript:alert(1)'", ""),
        ("", "xmpRights:WebStatement='https://a.example/ b'", ""),
        ("", f"xmpRights:WebStatement='https://a.example/{'x' * MAX_CHARACTERS}'", ""),
    ],
)
def test_the_address_of_the_licence(properties: str, attributes: str, wanted: str) -> None:
    assert provenance_of(jpeg(packet=packet(properties, attributes))).get("licence_url", "") == wanted


def test_the_first_licensor_counts_however_it_is_written() -> None:
    attributes = "plus:LicensorName='Ann' plus:LicensorURL='https://a.example'"
    listed = f"<plus:Licensor><rdf:Seq><rdf:li><rdf:Description {attributes}/></rdf:li></rdf:Seq></plus:Licensor>"
    found = provenance_of(jpeg(packet=packet(listed)))
    assert found == {"licensor": "Ann", "licensor_url": "https://a.example"}
    assert provenance_of(jpeg(packet=packet("<plus:Licensor>text</plus:Licensor>"))) == {}


@pytest.mark.parametrize("text", [SOURCE_TYPE, SOURCE_TYPE.replace("http:", "https:"), "trainedAlgorithmicMedia"])
def test_the_source_type_is_a_code(text: str) -> None:
    assert parse_source_type(f" {text} ") == "trainedAlgorithmicMedia"
    assert parse_source_type(f"{text}/x") == parse_source_type("http://evil.example/" + text) == ""


def test_content_credentials_are_noticed_but_not_claimed() -> None:
    elsewhere = jpeg(packet=packet("", "dcterms:provenance='https://a.example/m.c2pa'"))
    assert provenance_of(elsewhere)["content_credentials"] == {"embedded": False, "url": "https://a.example/m.c2pa"}
    found = Rights.from_provenance(provenance_of(elsewhere))
    assert found == Rights(content_credentials=True)
    assert Rights.parse(found.text) == found
    assert found.document == {"content_credentials": True}
    plain = saved(photo(), "JPEG")
    assert embed_rights(plain, "jpeg", found) == plain


@pytest.mark.slow
@needs_exiftool
@pytest.mark.parametrize("kind", ["opaque", "transparent"])
def test_exiftool_finds_them_in_each_format_and_nothing_else(kind: str, tmp_path: Path) -> None:
    source = with_rights("PNG", cutout() if kind == "transparent" else photo())
    paths = [tmp_path / f"a.{form}" for form in FORMATS]
    for path, form in zip(paths, FORMATS, strict=True):
        path.write_bytes(rendered(Plan("a", width=200, format=form, rights=True), source))
    assert read_by_exiftool(*paths) == [IN_FILES] * len(FORMATS)
    parts = private_parts(*paths)
    assert {tag.split(":")[0] for tags in parts.values() for tag in tags} <= {
        *("IFD0", "PNG", "XMP-dc", "XMP-photoshop", "XMP-plus", "XMP-xmpRights", "XMP-iptcExt")
    }


@needs_exiftool
def test_exiftool_finds_them_in_animations(tmp_path: Path) -> None:
    paths = [tmp_path / f"a.{form}" for form in ("webp", "gif")]
    for path in paths:
        path.write_bytes(rendered(Plan("a", width=20, format=path.suffix[1:], rights=True), animation("GIF", 3)))
    webp, gif = read_by_exiftool(*paths)
    assert webp == IN_FILES
    assert gif == {name: value for name, value in IN_FILES.items() if not name.startswith("exif")}
    assert [Image.open(path).n_frames for path in paths] == [3, 3]


@pytest.mark.sample(2)
@pytest.mark.parametrize("form", FORMATS)
def test_a_file_has_one_packet_and_the_same_pixels(form: str) -> None:
    for image in (photo(), cutout()):
        plan = Plan("a", width=200, format=form)
        plain = rendered(plan, saved(image, "PNG"))
        body = rendered(Plan("a", width=200, format=form, rights=True), saved(image, "PNG"))
        assert len(read_packets(body)) == 1
        assert read_exif(body) == {0x013B: RIGHTS["creator"], 0x8298: RIGHTS["copyright"]}
        assert pixels_of(body) == pixels_of(plain)
        assert probe(Source.from_bytes(body), Limits()).has_alpha == probe(Source.from_bytes(plain), Limits()).has_alpha
        assert 0 < len(body) - len(plain) < 1_800
        assert b"Secret" not in body


@pytest.mark.parametrize("form", FORMATS)
def test_the_default_is_none(form: str) -> None:
    body = rendered(Plan("a", width=200, format=form), with_rights())
    assert read_packets(body) == []
    assert read_exif(body) == {}
    assert b"Ann" not in body


def test_an_image_without_rights_has_no_packet() -> None:
    plan = Plan("a", width=200, format="jpeg")
    assert rendered(Plan("a", width=200, format="jpeg", rights=True), with_rights(), NO_TEXT) == rendered(
        plan, with_rights()
    )


@pytest.mark.parametrize("text", ["", "All rights reserved"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_master_that_ingest_has_not_seen_is_read_itself(form: str, text: str) -> None:
    source = with_rights(form.upper())
    body = rendered(Plan("a", width=200, format=form, rights=True), source, text)
    assert Rights.from_provenance(provenance_of(body)) == STATED
    assert b"Secret" not in body


def test_a_master_that_is_returned_unmodified_states_them_too() -> None:
    source = saved(photo(), "JPEG", quality=70)
    body = rendered(Plan("a", format="jpeg", quality=100, rights=True), source)
    assert pixels_of(body) == pixels_of(source)
    assert Rights.from_provenance(provenance_of(body)) == STATED


@pytest.mark.parametrize("form", ["jpeg", "avif"])
def test_an_unmodified_master_states_its_orientation_once(form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = saved(photo(), form.upper(), exif=exif.tobytes())
    for sha256 in ("", hashlib.sha256(source).hexdigest()):
        plan = Plan("a", passthrough_formats=(form,), rights=True)
        body = render(plan, Source.from_bytes(source), limits=Limits(), checked_sha256=sha256, rights=STATED.text).body
        block = Image.Exif()
        block.load(locate_blocks(body, form).exif)
        assert block.get(0x0112) == (6 if form == "jpeg" else None), "AVIF has irot, from which Pillow makes EXIF"
        assert probe(Source.from_bytes(body), Limits()).orientation == 6
        assert pixels_of(body) == pixels_of(source)
        assert Rights.from_provenance(provenance_of(body)) == STATED


def test_a_gain_map_stays_beside_them() -> None:
    body = rendered(Plan("a", width=320, format="jpeg", rights=True), ultra_hdr())
    found = read_gain_map(body)
    assert found is not None
    assert len(read_packets(body)) == 2, "that of the base has both, the other is the map's"
    assert Rights.from_provenance(provenance_of(body)) == STATED
    second = body.index(found.jpeg)
    assert body[second - 2 : second] == b"\xff\xd9"
    assert f'Item:Length="{len(body) - second}"'.encode() in body


def test_a_limit_of_bytes_includes_them() -> None:
    limit = 6_000
    plan = Plan("a", width=320, format="jpeg", quality=90, max_bytes=limit, rights=True)
    body = rendered(plan, saved(photo(), "PNG"))
    assert limit - 1_500 < len(body) <= limit
    assert len(read_packets(body)) == 1


def test_formats_that_cannot_be_joined_stay_as_they_are() -> None:
    tiff = saved(photo(), "TIFF")
    assert embed_rights(tiff, "tiff", STATED) == tiff
    assert embed_rights(b"<svg/>", "svg", STATED) == b"<svg/>"


@given(texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), c2pa=st.booleans(), form=st.sampled_from(FORMATS))
def test_hostile_text_stays_text(texts: tuple[str, str, str, str], c2pa: bool, form: str) -> None:
    creator, rights, credit, licensor = map(clean_text, texts)
    found = Rights(creator, rights, credit, "https://a.example/?<>", licensor, content_credentials=c2pa)
    body = embed_rights(_plain(form), form, found)
    (packet,) = read_packets(body)
    namespaces = {"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "dc": "http://purl.org/dc/elements/1.1/"}
    assert (packet.findtext(".//dc:rights/rdf:Alt/rdf:li", "", namespaces)) == rights
    assert len(packet.findall("rdf:RDF/rdf:Description", namespaces)) == 1
    assert pixels_of(body) == pixels_of(_plain(form))


_FILES = {form: saved(photo().resize((16, 12)), form.upper()) for form in FORMATS}


def _plain(form: str) -> bytes:
    return _FILES[form]


def test_control_characters_and_markup_are_escaped() -> None:
    composed = compose_metadata(Rights(creator='</rdf:li><x y="\x00\x1b\ud800">', copyright="a\x00b\ufffe"))
    assert b"&lt;/rdf:li&gt;&lt;x y=&quot;&quot;&gt;" in composed.xmp.packet
    assert b">ab<" in composed.xmp.packet


@given(texts=st.tuples(*[TEXTS] * 7), length=st.integers(0, 480), c2pa=st.booleans())
def test_the_text_fits_into_metadata_of_s3(texts: tuple[str, ...], length: int, c2pa: bool) -> None:
    address = clean_url("https://a.example/" + "é%" * (length // 2))
    creator, rights, credit, licensor, *about = map(clean_text, texts)
    found = Rights(creator, rights, credit, address, licensor, address, "trainedAlgorithmicMedia", c2pa, *about)
    text = found.text
    assert len(text) <= MAX_TEXT_BYTES
    assert text.isascii()
    assert text.isprintable()
    again = Rights.parse(text)
    assert again is not None
    for name in ("creator", "copyright", "credit", "licensor", *ABOUT):
        assert getattr(found, name).startswith(getattr(again, name))
        assert len(getattr(again, name)) >= min(15, len(getattr(found, name)))
    assert again.licence_url in ("", address)
    assert (again.digital_source_type, again.content_credentials) == ("trainedAlgorithmicMedia", c2pa)
    if sum(map(len, texts)) < 300 and length < 100:
        assert again == found


@pytest.mark.parametrize("text", [NO_TEXT, "eJyrrgUAAXUA+Q=="])
def test_a_text_of_no_rights(text: str) -> None:
    assert Rights.parse(text) == NO_RIGHTS


@pytest.mark.parametrize("text", ["", "All rights reserved", "e30=", "AAAA", "é", "eJwDAAAAAAE=", "eJyLjgUAARUAuQ=="])
def test_other_text_is_not_ours(text: str) -> None:
    assert Rights.parse(text) is None


def test_a_long_text_of_rights_is_no_bomb() -> None:
    import zlib
    from base64 import b64encode

    bomb = b64encode(zlib.compress(b'{"creator":"' + b"a" * 10_000_000 + b'"}')).decode()
    assert Rights.parse(bomb) is None
