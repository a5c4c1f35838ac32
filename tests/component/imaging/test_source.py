"""Sources: bytes that may still be arriving."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
import pyvips

from darkroom.errors import DamagedSource, Unavailable
from darkroom.imaging.source import Source
from tests.images.drawn import saved


class Chunks:
    """A stream that counts the bytes read, and may fail after some of them."""

    def __init__(self, data: bytes, size: int = 1000, fails_at: int | None = None) -> None:
        self.data, self.size, self.fails_at = data, size, fails_at
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.fails_at is not None and self.taken >= self.fails_at:
            raise ConnectionResetError("the bucket went away")
        chunk = self.data[self.taken : self.taken + self.size]
        if not chunk:
            raise StopIteration
        self.taken += len(chunk)
        return chunk


@pytest.fixture(scope="module")
def photo() -> bytes:
    noise = pyvips.Image.gaussnoise(800, 600, mean=128, sigma=40, seed=3).cast("uchar")
    data: bytes = noise.bandjoin([noise.invert(), noise]).copy(interpretation="srgb").jpegsave_buffer(Q=90)
    return data


def test_whole_bytes_are_used_as_they_are(photo: bytes) -> None:
    source = Source.from_bytes(photo)
    assert source.read_all() is photo
    assert source.size_bytes == len(photo)
    assert source.read_head(10) == photo[:10]
    assert source.read_at(len(photo) - 3, 10) == photo[-3:]


def test_a_stream_is_read_as_far_as_needed(photo: bytes) -> None:
    chunks = Chunks(photo)
    source = Source.from_stream(chunks, len(photo))
    assert source.read_head(1500) == photo[:1500]
    assert chunks.taken == 2000
    assert source.read_at(5, 10) == photo[5:15]
    assert chunks.taken == 2000
    assert source.read_all() == photo
    assert source.read_at(10, 5) == photo[10:15]


def test_libvips_decodes_while_bytes_arrive(photo: bytes) -> None:
    chunks = Chunks(photo)
    source = Source.from_stream(chunks, len(photo))
    with source.decoding():
        image = pyvips.Image.jpegload_source(source.open_vips(), access="sequential")
        at_open = chunks.taken
        pixels = image.write_to_memory()
    assert at_open < len(photo) / 4
    assert bytes(pixels) == bytes(pyvips.Image.jpegload_buffer(photo).write_to_memory())
    assert source.read_all() == photo
    assert source.size_bytes == len(photo)


def test_it_can_be_decoded_again(photo: bytes) -> None:
    source = Source.from_stream(Chunks(photo), len(photo))
    with source.decoding():
        means = [pyvips.Image.jpegload_source(source.open_vips()).avg() for _ in range(2)]
    assert means[0] == means[1]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "GIF"])
@pytest.mark.parametrize("whole", [True, False])
def test_every_loader_can_read_a_stream(form: str, whole: bool) -> None:
    data = saved(form)
    source = Source.from_stream(Chunks(data, 100), len(data))
    with source.decoding():
        image = pyvips.Image.new_from_source(source.open_vips(whole=whole), "")
        assert source.read_all() == data
        assert image(5, 5)[:3] == pytest.approx([255, 0, 0], abs=8)


def test_a_fault_of_the_stream_is_that_fault_and_no_damage(photo: bytes) -> None:
    source = Source.from_stream(Chunks(photo, fails_at=20_000), len(photo))
    with pytest.raises(ConnectionResetError, match="bucket"), source.decoding():
        pyvips.Image.jpegload_source(source.open_vips(), fail_on="warning").avg()
    with pytest.raises(ConnectionResetError):
        source.read_all()


def test_a_fault_shows_even_where_libvips_is_content(photo: bytes) -> None:
    source = Source.from_stream(Chunks(photo, fails_at=20_000), len(photo))
    with pytest.raises(ConnectionResetError), source.decoding():
        pyvips.Image.jpegload_source(source.open_vips(), fail_on="none").avg()


def test_damage_is_damage(photo: bytes) -> None:
    source = Source.from_bytes(photo[: len(photo) // 2])
    with pytest.raises(DamagedSource) as caught, source.decoding():
        pyvips.Image.jpegload_source(source.open_vips(), fail_on="warning").avg()
    assert "VipsJpeg" in caught.value.detail
    assert "VipsJpeg" not in caught.value.message


@pytest.mark.parametrize("more", [1, -1])
def test_a_stream_of_another_size_than_declared_is_unavailable(photo: bytes, more: int) -> None:
    source = Source.from_stream(Chunks(photo), len(photo) + more)
    with pytest.raises(Unavailable) as caught, source.decoding():
        pyvips.Image.jpegload_source(source.open_vips(), fail_on="warning").avg()
        source.read_all()
    assert caught.value.detail == f"the source sent {len(photo)} of {len(photo) + more} bytes"


def test_a_stream_may_be_empty() -> None:
    source = Source.from_stream(iter([b""]), 0)
    assert (source.read_all(), source.read_head()) == (b"", b"")


def test_libvips_may_read_on_in_what_was_joined(photo: bytes) -> None:
    """The buffer of arriving bytes is released for one object of all of them; a running loader keeps it."""
    source = Source.from_stream(Chunks(photo), len(photo))
    with source.decoding():
        image = pyvips.Image.jpegload_source(source.open_vips(), access="sequential")
        assert source.read_all() is source.read_all()
        pixels = image.write_to_memory()
    assert bytes(pixels) == bytes(pyvips.Image.jpegload_buffer(photo).write_to_memory())


def test_many_threads_read_the_same_bytes(photo: bytes) -> None:
    source = Source.from_stream(Chunks(photo, 7), len(photo))
    found: list[bytes] = []

    def read() -> None:
        found.append(b"".join(source.read_at(at, 997) for at in range(0, len(photo), 997)))

    threads = [Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [photo] * 4
