"""Read large pyramids by ranges and others as streams; cache what was read; never mix versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import pyvips

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.errors import Unavailable
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.variants import AccessMode
from darkroom.services import master_reader
from darkroom.services.master_reader import CACHED_MASTERS, MasterReader
from darkroom.services.serve.answers import Failed, Rendered
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.imaging.pyramid.assemble import write_pyramid
from darkroom_pipeline.imaging.pyramid.build import join_pages
from darkroom_pipeline.imaging.pyramid.plan import inspect_large_image, plan_pyramid

from .test_transform import Keys, request

SCENE = "masters/scene.tif"
TIFF = {"Content-Type": "image/tiff"}
TILE = "/scene.tif?crop=2048,1536,512,512&f=png"


@cache
def scene() -> bytes:
    """A large image of 4096 × 3072 px of noise, of some 14 MB."""
    noise = np.random.default_rng(3).integers(0, 255, (1536, 2048, 3), dtype=np.uint8)
    image = pyvips.Image.new_from_array(noise).copy(interpretation="srgb").resize(2).cast("uchar")
    source = Source.from_bytes(image.tiffsave_buffer(tile=True, compression="deflate", level=1))
    limits = Limits()
    header = inspect_large_image(source, limits)
    strips: list[bytes] = []
    plan = plan_pyramid(source, header, limits, strip_bytes=1)
    binding = write_pyramid(source, header, plan, lambda _, body: strips.append(body), limits)
    return b"".join([binding.head, *strips])


class Counting(FastBucket):
    """A bucket that records its requests."""

    def __init__(self, bucket: FastBucket) -> None:
        super().__init__(bucket._store)
        self.ranged: list[int] = []
        self.streamed = 0
        self.opened: list[str] = []

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
        self.opened.append(key)
        found = super().open(key, first_bytes)
        return replace(found, chunks=self._counted(found.chunks)) if found else None

    def read_range(self, key: str, start: int, end: int, etag: str) -> bytes:
        self.ranged.append(end - start)
        return super().read_range(key, start, end, etag)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.streamed += len(chunk)
            yield chunk

    @property
    def read(self) -> int:
        return self.streamed + sum(self.ranged)


@pytest.fixture
def counting(s3_bucket: FastBucket) -> Counting:
    assert len(scene()) > master_reader.STREAMED_BYTES
    s3_bucket.put(SCENE, scene(), TIFF)
    return Counting(s3_bucket)  # the one in memory gives everything in one piece


@pytest.fixture
def service(counting: Counting) -> Transform:
    return Transform(
        source=counting, media=FastBucket(counting._store), keys=Keys(), mode=AccessMode.OPEN, stores=False
    )


@pytest.mark.slow
def test_a_tile_of_a_large_image_reads_little_of_it(service: Transform, counting: Counting) -> None:
    answer = service.answer(request(TILE))
    assert isinstance(answer, Rendered)
    whole = pyvips.Image.new_from_buffer(scene(), "").crop(2048, 1536, 512, 512)
    shown = pyvips.Image.new_from_buffer(answer.body, "")
    assert np.array_equal(shown.numpy(), whole.numpy())
    assert counting.read < 0.1 * len(scene())


@pytest.mark.slow
def test_what_was_read_of_it_is_not_read_again(service: Transform, counting: Counting) -> None:
    first = service.answer(request(TILE))
    counting.ranged.clear()
    counting.opened.clear()
    counting.streamed = 0
    again = service.answer(request(TILE))
    assert isinstance(first, Rendered)
    assert isinstance(again, Rendered)
    assert again.body == first.body
    assert (counting.read, counting.opened) == (0, [])
    beside = service.answer(request("/scene.tif?crop=2560,1536,512,512&f=png"))
    assert isinstance(beside, Rendered)
    assert counting.read < 0.1 * len(scene())


@pytest.mark.slow
def test_images_and_large_images_have_separate_limits(service: Transform) -> None:
    small = replace(service, limits=Limits(max_bytes=9_000_000, max_pixels=2_000_000))
    assert isinstance(small.answer(request(TILE)), Rendered)
    assert isinstance(small.answer(request("/scene.tif?w=640&f=png")), Rendered)
    refused = small.answer(request("/scene.tif?f=png&crop=0,0,2000,2000"))
    assert isinstance(refused, Failed)
    assert refused.error.code == "bad-option"
    assert isinstance(
        small.answer(request(TILE)), Rendered
    )  # the requested variant is refused, and not the large image


@pytest.mark.slow
def test_an_overwritten_large_image_is_processed_anew(service: Transform, counting: Counting) -> None:
    before = service.answer(request(TILE))
    other = bytearray(scene())
    other[-1] ^= 1
    counting.put(SCENE, bytes(other), TIFF)
    counting.ranged.clear()
    after = service.answer(request(TILE))
    assert isinstance(before, Rendered)
    assert isinstance(after, Rendered)
    assert counting.ranged != []
    counting.delete(SCENE)
    gone = service.answer(request(TILE))
    assert isinstance(gone, Failed)
    assert gone.error.code == "no-source"


@pytest.mark.slow
def test_what_changes_between_two_ranges_is_unavailable(counting: Counting) -> None:
    reading = MasterReader()
    found = reading.open(counting, SCENE)
    assert found is not None
    with reading.source(counting, SCENE, found) as source:
        source.read_head()
        counting.put(SCENE, scene() + b"!", TIFF)
        with pytest.raises(Unavailable):
            source.read_at(len(scene()) - 100, 100)


@pytest.mark.slow
def test_the_last_few_stay(counting: Counting) -> None:
    reading = MasterReader()
    names = [f"masters/{number}.tif" for number in range(CACHED_MASTERS + 1)]
    for name in names:
        counting.put(name, scene(), TIFF)
        found = reading.open(counting, name)
        assert found is not None
        with reading.source(counting, name, found) as source:
            assert source.is_ranged
            source.read_head()
    counting.opened.clear()
    for name in reversed(names):
        reading.open(counting, name)
    assert counting.opened == names[:1]


@pytest.mark.slow
def test_a_large_image_with_another_extension_is_read_from_its_stream_first(counting: Counting) -> None:
    counting.put("masters/scene", scene(), TIFF)
    reading = MasterReader()
    found = reading.open(counting, "masters/scene")
    assert found is not None
    with reading.source(counting, "masters/scene", found) as source:
        source.read_head()
        assert counting.ranged == []
        assert source.read_at(len(scene()) - 50, 50) == scene()[-50:]
    assert len(counting.ranged) == 1
    assert counting.streamed < 400_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["other", "other.TIF"])
@pytest.mark.parametrize("kind", ["small", "another type", "directories at the end", "no smaller versions"])
def test_all_else_is_streamed(bucket: FastBucket, kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body, headers = scene(), TIFF
    if kind == "small":
        monkeypatch.setattr(master_reader, "STREAMED_BYTES", len(body))
    elif kind == "another type":
        headers = {"Content-Type": "image/png"}
    else:
        image = pyvips.Image.new_from_buffer(body, "")
        atonce = {"tile": True, "compression": "deflate", "level": 1}
        body = (
            image.tiffsave_buffer(compression="none")
            if "end" in kind
            else join_pages([[image.tiffsave_buffer(**atonce)]])
        )
    bucket.put(name, body, headers)
    reading = MasterReader()
    found = reading.open(bucket, name)
    assert found is not None
    with reading.source(bucket, name, found) as source:
        assert not source.is_ranged
        assert source.read_all() == body
