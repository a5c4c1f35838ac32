"""Sources that are read by ranges: the same bytes and pixels, few of them fetched, faults kept."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from random import Random
from weakref import ref

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import DamagedSource, OverLimits, Unavailable
from darkroom.imaging import source as sources
from darkroom.imaging.block_cache import BLOCK_BYTES, STREAM_REACH_BYTES, BlockCache
from darkroom.imaging.formats.load import LOADERS
from darkroom.imaging.source import Source
from tests.component.imaging.test_master_pyramid import large_pyramid
from tests.images.rendering import made
from tests.images.sources import photo, saved

BODY = Random(7).randbytes(40 * BLOCK_BYTES + 1234)


class Store:
    """Bytes, with a record of each requested range."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return self.body[start:end]

    def blocks(self, **options: int) -> BlockCache:
        return BlockCache(self, len(self.body), **options)  # type: ignore[arg-type]


def stream(body: bytes, closed: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    try:
        for at in range(0, len(body), 32_000):
            yield body[at : at + 32_000]
    finally:
        closed()


@given(
    st.lists(st.tuples(st.integers(0, len(BODY) + 9), st.integers(0, 5 * BLOCK_BYTES)), max_size=30),
    st.integers(0, 12),
    st.booleans(),
    st.sampled_from([0, 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5, len(BODY)]),
)
def test_any_reads_give_the_bytes(reads: list[tuple[int, int]], room: int, streamed: bool, first: int) -> None:
    front = stream(BODY) if streamed else None
    blocks = BlockCache(Store(BODY), len(BODY), capacity_bytes=room * BLOCK_BYTES, stream=front, prefix=BODY[:first])
    for offset, length in reads:
        assert blocks.read(offset, length) == BODY[offset : offset + length]
        assert blocks.cached_bytes <= max(1, room) * BLOCK_BYTES


def test_what_is_here_is_not_fetched_again() -> None:
    store = Store(BODY)
    blocks = store.blocks()
    for _ in range(3):
        blocks.read(5 * BLOCK_BYTES - 10, 20)
    assert store.asked == [(4 * BLOCK_BYTES, 6 * BLOCK_BYTES)]
    assert (blocks.requests, blocks.fetched_bytes) == (1, 2 * BLOCK_BYTES)


def test_reading_on_fetches_more_each_time_and_jumping_does_not() -> None:
    store = Store(BODY)
    blocks = store.blocks()
    for number in range(12):
        blocks.read(number * BLOCK_BYTES, 10)
    assert [(end - start) // BLOCK_BYTES for start, end in store.asked] == [1, 2, 3, 5, 9]
    store.asked.clear()
    for number in (38, 30, 34):
        blocks.read(number * BLOCK_BYTES, 10)
    assert [(end - start) // BLOCK_BYTES for start, end in store.asked] == [1, 1, 1]


def test_reading_ahead_is_bounded_and_stops_at_what_is_here() -> None:
    store = Store(BODY)
    blocks = store.blocks(max_readahead_bytes=2 * BLOCK_BYTES)
    blocks.read(6 * BLOCK_BYTES, 1)
    for number in range(6):
        blocks.read(number * BLOCK_BYTES, 1)
    assert max(end - start for start, end in store.asked) == 3 * BLOCK_BYTES
    assert sum(end - start for start, end in store.asked) == 7 * BLOCK_BYTES


def test_the_last_read_stay() -> None:
    store = Store(BODY)
    blocks = store.blocks(capacity_bytes=2 * BLOCK_BYTES)
    for number in (20, 10, 20, 30, 20):
        blocks.read(number * BLOCK_BYTES, 1)
    assert [start // BLOCK_BYTES for start, _ in store.asked] == [20, 10, 30]


def test_an_open_stream_is_read_on_while_it_is_near() -> None:
    store, closed = Store(BODY), []
    blocks = BlockCache(store, len(BODY), stream=stream(BODY, lambda: closed.append(True)))
    blocks.read(0, 100)
    blocks.read(STREAM_REACH_BYTES // 2, 100)
    assert (store.asked, closed, blocks.requests) == ([], [], 1)
    blocks.read(35 * BLOCK_BYTES, 100)
    assert (len(store.asked), closed, blocks.requests) == (1, [True], 2)
    blocks.read(STREAM_REACH_BYTES, 100)
    assert len(store.asked) == 2
    blocks.close()


def test_a_stream_is_given_up_by_closing() -> None:
    closed: list[bool] = []
    blocks = BlockCache(Store(BODY), len(BODY), stream=stream(BODY, lambda: closed.append(True)))
    blocks.read(0, 1)
    blocks.close()
    assert closed == [True]
    assert blocks.read(BLOCK_BYTES, 5) == BODY[BLOCK_BYTES : BLOCK_BYTES + 5]


def test_a_stream_or_a_range_that_is_too_short_is_unavailable() -> None:
    short = BlockCache(Store(BODY), len(BODY), stream=stream(BODY[:1000]))
    with pytest.raises(Unavailable):
        short.read(0, 10)
    assert short.read(0, 10) == BODY[:10]  # by a range
    with pytest.raises(Unavailable):
        BlockCache(Store(BODY[:-1]), len(BODY)).read(len(BODY) - 5, 5)


@cache
def tiled() -> bytes:
    image = pyvips.Image.new_from_buffer(saved(photo(), "PNG"), "").resize(8)
    body: bytes = image.cast("uchar").tiffsave_buffer(tile=True, tile_width=256, tile_height=256, compression="deflate")
    return body


def test_a_region_is_decoded_from_its_tiles_alone() -> None:
    store = Store(tiled())
    source = Source.from_ranges(store.blocks())
    image = pyvips.Operation.call(LOADERS["tiff"].operation, source.open_vips(), access="sequential")
    with source.decoding():
        cut = image.crop(1024, 768, 256, 256).copy_memory()
    wanted = pyvips.Image.new_from_buffer(tiled(), "").crop(1024, 768, 256, 256)
    assert bytes(cut.write_to_memory()) == bytes(wanted.write_to_memory())
    assert sum(end - start for start, end in store.asked) < 0.2 * len(tiled())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_loader_reads_by_ranges(form: str) -> None:
    upload = saved(photo(), form)
    assert made(Source.from_ranges(Store(upload).blocks()), width=100).body == made(upload, width=100).body


def test_what_is_read_whole_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source.from_ranges(Store(BODY).blocks())
    assert source.read_all() == BODY
    monkeypatch.setattr(sources, "MAX_WHOLE_BYTES", len(BODY) - 1)
    for call in (source.read_all, lambda: source.open_vips(whole=True)):
        with pytest.raises(OverLimits):
            call()  # type: ignore[operator]


def test_a_fault_while_libvips_reads_is_raised_as_it_was() -> None:
    store = Store(large_pyramid())

    def failing(start: int, end: int) -> bytes:
        if len(store.asked) > 1:
            raise Unavailable(detail="the line is down")
        return store(start, end)

    blocks = BlockCache(failing, len(store.body))
    source = Source.from_ranges(blocks)
    with pytest.raises(Unavailable, match=r"."):
        made(source)
    with pytest.raises(Unavailable):
        source.raise_fault()
    with pytest.raises(Unavailable):
        source.read_head()
    store.asked.clear()
    assert made(Source.from_ranges(blocks), width=100).width == 100  # another source may read the same blocks


def test_damage_is_damage() -> None:
    broken = bytearray(tiled())
    broken[len(broken) // 3 : len(broken) // 2] = bytes(len(broken) // 2 - len(broken) // 3)
    with pytest.raises(DamagedSource):
        made(Source.from_ranges(Store(bytes(broken)).blocks()))


def test_threads_may_read_at_once() -> None:
    blocks, random = Store(BODY).blocks(capacity_bytes=4 * BLOCK_BYTES), Random(3)
    places = [random.randrange(len(BODY)) for _ in range(400)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda place: blocks.read(place, 1000), places))
    assert found == [BODY[place : place + 1000] for place in places]


@pytest.mark.slow
def test_a_source_does_not_outlive_its_render() -> None:
    source = Source.from_ranges(Store(tiled()).blocks())
    made(source, width=50)
    gone = ref(source)
    del source
    gc.collect()
    assert gone() is None
