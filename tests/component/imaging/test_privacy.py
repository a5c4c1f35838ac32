"""Privacy: no metadata of a camera, a phone or an editor reaches a derivative or a master."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from darkroom.imaging.formats.jpeg.ultrahdr import read_gain_map
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.formats.webp.probe import iter_chunks
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom_pipeline.imaging.master import Master, make_master
from darkroom_pipeline.imaging.render_many import decode_once
from tests.corpus import CORPUS, EXPECTED, REFUSED
from tests.images.cameras import camera_files
from tests.images.exiftool import needs_exiftool, private_parts
from tests.images.planted import planted
from tests.images.rendering import frames, opened

from .test_gainmap import ultra_hdr
from .test_master import unstructured

pytestmark = pytest.mark.never_skips

GAIN_MAPS = ("gain map", "ultra-hdr.jpg")
GAIN_MAP_GROUPS = {"XMP-hdrgm", "XMP-GContainer", "MPF0", "MPImage1", "MPImage2", "APP2", "Google"}
"""ExifTool's groups of a gain map's metadata."""


@cache
def generated() -> dict[str, bytes]:
    """Return files with private parts of every kind, by name."""
    return planted() | camera_files() | {"gain map": ultra_hdr()}


SETS = {"generated": list(generated())}
LEAST_CLEANED = {"generated": 23, "corpus": 41}
if CORPUS.is_dir():
    SETS["corpus"] = [name for name in EXPECTED if name not in REFUSED]
NAMES = [name for names in SETS.values() for name in names]
"""Those of the corpus are in it only where the corpus is, so that no test skips."""


def read_upload(name: str) -> bytes:
    return generated()[name] if name in generated() else (CORPUS / name).read_bytes()


@cache
def image(name: str, form: str = "webp", width: int = 320) -> RenderedImage:
    return render(Plan(name, width=width, format=form), Source.from_bytes(read_upload(name)), limits=Limits())


@cache
def master(name: str) -> Master:
    upload = read_upload(name)
    return make_master(upload, probe(Source.from_bytes(upload), Limits()), limits=Limits())


def save_as(folder: Path, name: str, body: bytes, ending: str) -> None:
    (folder / f"{name.replace('/', '-')}.{ending}").write_bytes(body)


@needs_exiftool
def test_exiftool_reads_what_is_planted(tmp_path: Path) -> None:
    """The files are built like those of cameras: ExifTool follows every directory, maker note and thumbnail in them."""
    for name, data in camera_files().items():
        save_as(tmp_path, name, data, "jpg")
    found = private_parts(*tmp_path.iterdir())
    wanted = {
        "canon": {"Canon:OwnerName", "GPS:GPSLatitude", "IFD1:ThumbnailImage", "IPTC:By-line", "XMP-dc:Creator"},
        "nikon": {"Nikon:SerialNumber", "GPS:GPSLongitude", "IFD1:ThumbnailImage", "MPImage2:PreviewImage"},
        "phone": {"Apple:ContentIdentifier", "GPS:GPSImgDirection", "XMP-xmpNote:HasExtendedXMP", "ExifIFD:OwnerName"},
        "agency": {"IPTC:By-line", "Photoshop:PhotoshopThumbnail", "Photoshop:IPTCDigest"},
        "xmp only": {"XMP-exif:GPSLatitude", "XMP-dc:Creator"},
        "damaged exif": {"GPS:GPSLatitude", "ExifIFD:MakerNoteUnknownText", "IFD0:Artist"},
        "truncated exif": {"Nikon:SerialNumber", "ExifIFD:OwnerName", "IFD0:Artist"},
    }
    assert {name: missing for name, tags in wanted.items() if (missing := tags - set(found[f"{name}.jpg"]))} == {}


@pytest.mark.sample(15)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_pixels_is_in_a_webp(name: str) -> None:
    body = image(name).body
    names = {chunk.name for chunk in iter_chunks(lambda at, length: body[at : at + length])}
    assert names <= {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}


@pytest.mark.sample(15)
@pytest.mark.parametrize("form", ["jpeg", "png", "avif", "gif"])
@pytest.mark.parametrize("name", generated())
def test_no_planted_byte_is_in_any_format(name: str, form: str) -> None:
    assert b"secret" in generated()[name] or "pages" in name
    for width in (320, 120):
        assert b"secret" not in image(name, form, width).body


@pytest.mark.sample(15)
@needs_exiftool
@pytest.mark.parametrize("form", ["webp", "jpeg", "png"])
@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_exiftool_finds_nothing_private_in_a_rendered_image(names: list[str], form: str, tmp_path: Path) -> None:
    for name in names:
        save_as(tmp_path, name, image(name, form).body, form)
    found = private_parts(*tmp_path.iterdir())
    assert len(found) == len(names)
    carried = {name.removesuffix(f".{form}") for name, tags in found.items() if tags}
    assert carried == (set(GAIN_MAPS) & set(names) if form == "jpeg" else set())


@needs_exiftool
@pytest.mark.parametrize(("kind", "names"), SETS.items(), ids=SETS)
def test_exiftool_finds_nothing_private_in_a_cleaned_upload(kind: str, names: list[str], tmp_path: Path) -> None:
    wanted = 0
    for name in names:
        data = read_upload(name)
        header = probe(Source.from_bytes(data), Limits())
        cleaned = strip_metadata(data, header, keep_orientation=True)
        if cleaned is not None:
            wanted += 1
            save_as(tmp_path, name, cleaned, header.format)
    found = private_parts(*tmp_path.iterdir())
    assert len(found) == wanted >= LEAST_CLEANED[kind]
    for name, tags in found.items():
        if name.rpartition(".")[0] in GAIN_MAPS:
            assert {tag.partition(":")[0] for tag in tags} <= GAIN_MAP_GROUPS
        else:
            assert tags in ([], ["IFD0:Orientation"]), name


@pytest.mark.slow
@needs_exiftool
@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_exiftool_finds_nothing_private_in_a_master(names: list[str], tmp_path: Path) -> None:
    for name in names:
        save_as(tmp_path, name, master(name).body, master(name).content_type.partition("/")[2].partition("+")[0])
    found = private_parts(*tmp_path.iterdir())
    assert len(found) == len(names)
    left = {name: tags for name, all_tags in found.items() if (tags := unstructured(name, all_tags))}
    assert set(left) == {f"{name}.jpeg" for name in GAIN_MAPS if name in names}, left
    for tags in left.values():
        assert {tag.partition(":")[0] for tag in tags} <= GAIN_MAP_GROUPS


@pytest.mark.parametrize("name", camera_files())
def test_a_master_of_a_camera_file_has_its_pixels_and_nothing_planted(name: str) -> None:
    upload, clean_one = camera_files()[name], master(name)
    assert clean_one.method == "cleaned"
    assert b"secret" not in clean_one.body
    assert (frames(upload)[0] == frames(clean_one.body)[0]).all()
    assert ("icc_profile" in opened(clean_one.body).info) == ("icc_profile" in opened(upload).info)


@pytest.mark.parametrize(
    ("name", "width", "size"),
    [case for case in (("gain map", 320, (80, 60)), ("ultra-hdr.jpg", 800, (200, 112))) if case[0] in NAMES],
)
def test_the_gain_map_comes_along_without_private_parts(name: str, width: int, size: tuple[int, int]) -> None:
    before, plan = read_gain_map(read_upload(name)), Plan(name, width=width, format="jpeg")
    [(_, at_ingest)] = decode_once(Source.from_bytes(read_upload(name)), [plan], limits=Limits()).render_all()
    assert before is not None
    for body in (image(name, "jpeg", width).body, at_ingest.body):
        after = read_gain_map(body)
        assert after is not None
        assert (after.size, after.parameters) == (size, before.parameters)
        assert b"Exif" not in body
        assert b"secret" not in body
