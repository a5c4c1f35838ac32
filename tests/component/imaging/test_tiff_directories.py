"""TIFF directories: pages, smaller versions of them, and files that are neither."""

from __future__ import annotations

import io

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import TiffImagePlugin

from darkroom.errors import DamagedSource, DarkroomError
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.formats.tiff.container import Tag, TiffReader
from darkroom.imaging.formats.tiff.probe import find_page
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.pyramid.build import join_pages
from tests.component.imaging.test_master_pyramid import SIDE, book, large, large_pyramid, streamed
from tests.images.masters import header, look_alike, mastered
from tests.images.rendering import made
from tests.images.sources import photo, saved


def ordinary(*, subifd: bool) -> bytes:
    """A pyramid as libvips writes it: the large image first, and smaller ones as pages or as sub-directories."""
    image = pyvips.Image.new_from_buffer(large(), "")
    body: bytes = image.tiffsave_buffer(tile=True, pyramid=True, subifd=subifd, compression="jpeg", Q=90)
    return body


@pytest.mark.parametrize("subifd", [True, False])
def test_pyramids_of_others_are_read_in_full_and_smaller_versions_are_no_pages(subifd: bool) -> None:
    upload = ordinary(subifd=subifd)
    assert header(upload).frames == 1
    assert find_page(Source.from_bytes(upload), 0) == (0, ())
    _, taken = streamed(upload, width=90)
    assert taken > 0.5 * len(upload)
    master = mastered(upload).body
    assert find_page(Source.from_bytes(master), 0).shrinks == (2, 4, 8)
    look_alike(upload, master, width=90)


def test_a_thumbnail_before_its_image_is_no_page() -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[Tag.SUBFILE] = 1
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out, new=True) as writer:
        for image, tags in ((photo().resize((32, 24)), info), (photo(), {})):
            image.save(writer, "TIFF", tiffinfo=tags)
            writer.newFrame()
    upload = out.getvalue()
    assert (header(upload).frames, header(upload).width) == (1, 320)
    look_alike(upload, mastered(upload).body)
    assert made(upload).width == 320


def test_hidden_images_are_not_taken_for_smaller_versions() -> None:
    """A sub-directory that is written like a level of ours, but in another size, is left alone."""
    whole = large_pyramid()
    tiff = TiffReader(lambda at, length: whole[at : at + length])
    (main,) = tiff.read_directories()
    level = tiff.read_directory(tiff.read_numbers(main, Tag.SUB_DIRECTORIES, 9)[0])
    assert tiff.read_number(level, Tag.TILE_OFFSETS) < tiff.read_number(main, Tag.TILE_OFFSETS)
    entry = level.entries[Tag.WIDTH]
    other = bytearray(whole)
    other[entry.at : entry.at + 2] = (SIDE // 2 - 1).to_bytes(2, "little")
    assert find_page(Source.from_bytes(bytes(other)), 0) == (0, ())


def test_binding_refuses_what_it_does_not_know() -> None:
    striped, big = saved(photo(), "TIFF"), pyvips.Image.black(9, 9).tiffsave_buffer(bigtiff=True, tile=True)
    for file in (striped, big, book(), b"II*\0\x08\0\0\0\0\0"):
        with pytest.raises(ValueError, match=r"."):
            join_pages([[file]])


@given(st.data())
def test_any_mangled_pyramid_is_read_or_refused(data: st.DataObject) -> None:
    mangled = bytearray(large_pyramid())
    for at in data.draw(st.lists(st.integers(0, 1200), max_size=8)):
        mangled[at] = data.draw(st.integers(0, 255))
    try:
        source = Source.from_bytes(bytes(mangled[: data.draw(st.integers(0, 3000))]))
        probe(source, Limits())
        find_page(source, 0)
    except DarkroomError:
        pass


def test_endless_directories_come_to_an_end() -> None:
    """10,000 directories that share their 60,000 entries would take minutes."""
    shared = (60_000).to_bytes(2, "little") + b"\1" * 720_000
    hostile = b"II*\0\x08\0\0\0" + b"".join((60_000).to_bytes(2, "little") for _ in range(300)) + shared
    with pytest.raises(DamagedSource):
        probe(Source.from_bytes(hostile), Limits())
