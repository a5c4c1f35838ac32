"""Hostile and meaningless metadata."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import PngImagePlugin

from darkroom.imaging.formats.metadata.image_metadata import MAX_CHARACTERS
from darkroom.imaging.formats.metadata.provenance import read_provenance
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.metadata_files import jpeg, packet, provenance_of
from tests.images.planted import planted
from tests.images.sources import photo, saved

ASKED = ("captured_at", "camera", "lens", "creator", "copyright", "credit")


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
    found = read_provenance(HOSTILE[name], header, keep_gps=True)
    assert set(found) <= {*ASKED, "gps"}
    assert "root:" not in json.dumps(found)


def test_a_packed_text_is_unpacked_up_to_a_bound() -> None:
    for size, wanted in ((1_000, {"creator": "Ann"}), (50_000_000, {})):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet("<dc:creator>Ann</dc:creator>") + " " * size, zip=True)
        assert provenance_of(saved(photo().resize((9, 9)), "PNG", pnginfo=info)) == wanted


@given(st.sampled_from(sorted(planted())), st.data())
def test_any_mangled_file_has_valid_or_no_metadata(name: str, data: st.DataObject) -> None:
    whole = planted()[name]
    mangled = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, min(len(whole), 4_000) - 1), max_size=12)):
        mangled[at] = data.draw(st.integers(0, 255))
    cut = bytes(mangled[: data.draw(st.integers(0, len(whole)))])
    form = probe(Source.from_bytes(whole), Limits()).format
    found = read_provenance(cut, Header(form, 9, 9), keep_gps=True)
    assert all(isinstance(found[key], str) and len(found[key]) <= MAX_CHARACTERS for key in found if key != "gps")
    json.dumps(found, allow_nan=False)
