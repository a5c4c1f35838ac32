"""Strip AVIF: another container around the same coded images."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import DarkroomError
from darkroom.imaging.formats.bmff.container import Box, parse_meta
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.drawn import avif
from tests.images.exiftool import needs_exiftool, private_parts
from tests.images.heif_files import IDAT, ITEM, Part, grid, heif, parts_of
from tests.images.planted import in_heif
from tests.images.rendering import rgba
from tests.images.sources import cutout, photo, saved


def header(data: bytes) -> Header:
    return probe(Source.from_bytes(data), Limits())


def cleaned(data: bytes, *, keep_profile: bool = True) -> bytes:
    found = strip_metadata(data, header(data), keep_orientation=True, keep_profile=keep_profile)
    assert found is not None
    return found


def pixels(data: bytes) -> bytes:
    return bytes(pyvips.Image.heifload_buffer(data).write_to_memory())


def sequence() -> bytes:
    return saved(photo(), "AVIF", save_all=True, append_images=[photo().rotate(90)], duration=100)


def premultiplied() -> bytes:
    """An image with premultiplied alpha."""
    parts = parts_of(saved(cutout(), "AVIF", quality=80))
    (alpha,) = [number for number, part in enumerate(parts, start=1) if part.references]
    return heif([replace(parts[0], references=((b"prem", (alpha,)),)), *parts[1:]])


CASES: dict[str, Callable[[], bytes]] = {
    "plain": lambda: saved(photo(), "AVIF", quality=80),
    "alpha": lambda: saved(cutout(), "AVIF", quality=80),
    "premultiplied": premultiplied,
    "grey": lambda: saved(photo().convert("L"), "AVIF", quality=80),
    "10 bits": lambda: avif(bitdepth=10),
    "profile": lambda: saved(photo(), "AVIF", icc_profile=bytes(pyvips.Image.profile_load("p3"))),
    "grid": lambda: heif(grid(avif(64, 64), 3, 2, 180, 120)),
    "grid in idat": lambda: heif(grid(avif(64, 64), 2, 2, 128, 128, place=IDAT)),
    "in pieces": lambda: heif([replace(part, pieces=7) for part in parts_of(saved(cutout(), "AVIF", quality=80))]),
    "grid in pieces of idat": lambda: heif(grid(avif(64, 64), 2, 2, 128, 128, place=IDAT, pieces=3)),
    "sequence": sequence,
    "planted": lambda: in_heif(saved(cutout(), "AVIF", quality=80), brand=b"avif"),
}


@cache
def case(name: str) -> bytes:
    return CASES[name]()


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", CASES)
def test_pixels_stay(name: str) -> None:
    before = case(name)
    after = cleaned(before)
    assert header(after) == header(before)
    assert pixels(after) == pixels(before)
    assert np.array_equal(rgba(after), rgba(before))
    assert cleaned(after) == after


@pytest.mark.parametrize("name", CASES)
def test_only_what_is_shown_is_in_it(name: str) -> None:
    after = cleaned(case(name))
    assert b"secret" not in after
    kinds = [item.kind for item in parse_meta(after).items.values()]
    assert set(kinds) <= {b"av01", b"grid"}
    assert kinds[0] == (b"grid" if "grid" in name else b"av01")
    assert b"moov" not in after


@pytest.mark.slow
@needs_exiftool
def test_exiftool_finds_nothing(tmp_path: Path) -> None:
    for name in CASES:
        (tmp_path / f"{name}.avif").write_bytes(cleaned(case(name)))
    found = private_parts(*tmp_path.iterdir())
    assert len(found) == len(CASES)
    assert not {name: tags for name, tags in found.items() if tags}
    (tmp_path / "dirty.avif").write_bytes(case("planted"))
    assert {"GPS:GPSLatitude", "XMP-dc:Creator"} <= set(private_parts(tmp_path / "dirty.avif")["dirty.avif"])


@pytest.mark.sample(5)
@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirror", [None, 0, 1])
def test_it_stays_turned(quarters: int, mirror: int | None) -> None:
    first, *_ = parts_of(saved(photo(), "AVIF", quality=80))
    turns = [Box(b"irot", bytes([quarters]))] + ([Box(b"imir", bytes([mirror]))] if mirror is not None else [])
    before = heif([replace(first, properties=(*first.properties, *turns))])
    after = cleaned(before)
    assert header(after) == header(before)
    assert pixels(after) == pixels(before)
    assert np.array_equal(rgba(after), rgba(before))


def test_a_profile_can_go() -> None:
    after = cleaned(case("profile"), keep_profile=False)
    assert header(case("profile")).has_profile
    assert not header(after).has_profile
    assert pixels(after) == pixels(case("profile"))


def test_the_primary_image_need_not_be_the_first() -> None:
    one, other = (parts_of(saved(image, "AVIF", quality=80))[0] for image in (photo(), photo().convert("L")))
    after = cleaned(heif([one, other], primary=2))
    assert header(after).colour == "gray"
    assert pixels(after) == pixels(heif([other]))


def broken() -> dict[str, bytes]:
    (first, *_) = parts_of(case("plain"))
    outside = Part(b"grid", grid(case("plain"), 1, 1, 320, 240)[0].body, first.properties, ((b"dimg", (9,)),))
    return {
        "data of an item in another item": heif([replace(first, place=ITEM), first]),
        "made of what is not there": heif([outside, first]),
        "no primary image": heif([first], primary=7),
        "cut off": case("plain")[:-300],
        "cut off in its meta": case("plain")[:150],
    }


@pytest.mark.parametrize("name", broken())
def test_what_does_not_fit_together_is_left_to_an_encoder(name: str) -> None:
    assert strip_metadata(broken()[name], header(case("plain")), keep_orientation=True) is None


@given(st.data())
def test_any_mangled_file_is_cleaned_or_left(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(CASES)))
    mangled = bytearray(case(name))
    for at in data.draw(st.lists(st.integers(0, min(len(mangled), 1500) - 1), max_size=6)):
        mangled[at] = data.draw(st.integers(0, 255))
    found = strip_metadata(bytes(mangled), header(case(name)), keep_orientation=True)
    if found is not None:
        with suppress(DarkroomError):
            header(found)
        assert len(found) < len(mangled) + 4096


@pytest.mark.slow
def test_items_over_one_another_do_not_make_it_grow() -> None:
    data = heif(grid(saved(photo(), "AVIF", quality=90), 8, 8, 8 * 320, 8 * 240), shared=True)
    assert pixels(data)
    assert strip_metadata(data, header(data), keep_orientation=True) is None


def test_a_file_of_many_tiles_is_cleaned_at_once() -> None:
    data = heif(grid(avif(64, 64), 50, 40, 50 * 64, 40 * 64))
    assert header(cleaned(data)) == header(data)
