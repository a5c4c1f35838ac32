"""Large images: a pyramid made in strips equals one made at once, for any order and repetition of strips."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darkroom.errors import BadOption, DamagedSource, OverLimits, Unavailable
from darkroom.imaging.block_cache import BlockCache
from darkroom.imaging.formats.tiff.probe import find_page
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop
from darkroom_pipeline.imaging.pyramid.assemble import FILE_HEAD, Assembly, assemble, write_pyramid
from darkroom_pipeline.imaging.pyramid.build import build_pyramid
from darkroom_pipeline.imaging.pyramid.plan import PyramidLayout, PyramidPlan, inspect_large_image, plan_pyramid
from darkroom_pipeline.imaging.pyramid.strips import EncodedStrip, TileIndex, build_top_levels, cut_strip
from darkroom_pipeline.imaging.pyramid.tiff_write import read_tiled
from darkroom_pipeline.imaging.pyramid.tiles import halve, shrink_pairs
from tests.component.imaging.test_source_ranged import Store
from tests.images.masters import header, look_alike
from tests.images.planted import in_jpeg
from tests.images.rendering import alike, apart, made, seen
from tests.images.sources import photo, saved
from tests.peak_memory import READ_PEAK

LIMITS = Limits()
ROWS_OF_TWO = 2 * 256 * 1600 * 3


def make_image(width: int, height: int, bands: int = 3, *, deep: bool = False) -> pyvips.Image:
    """A photograph with detail down to single pixels."""
    shown = photo().resize((max(1, width // 2), max(1, height // 2)), Image.Resampling.LANCZOS)
    pixels = np.asarray(shown.resize((width, height), Image.Resampling.NEAREST), dtype=np.int32)
    noise = np.random.default_rng(5).integers(-20, 20, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if bands in (2, 4):
        fade = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None].repeat(height, 0)
        pixels = np.concatenate([pixels[:, :, : bands - 1], fade], 2)
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels[:, :, :bands]))
    image = image.copy(interpretation="srgb" if bands > 2 else "b-w")
    if deep:
        image = (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16" if bands > 2 else "grey16")
    return image


FORMS: dict[str, Callable[[pyvips.Image], bytes]] = {
    "tiles": lambda image: image.tiffsave_buffer(tile=True, compression="deflate"),
    "strips": lambda image: image.tiffsave_buffer(compression="lzw"),
    "strips, BigTIFF": lambda image: image.tiffsave_buffer(compression="deflate", bigtiff=True, predictor="horizontal"),
    "PNG": lambda image: image.pngsave_buffer(compression=1),
}


@cache
def upload(form: str, width: int = 1600, height: int = 1152, bands: int = 3, *, deep: bool = False) -> bytes:
    return FORMS[form](make_image(width, height, bands, deep=deep))


def plan_of(data: bytes, *, strip_bytes: int = ROWS_OF_TWO) -> tuple[Source, Any, PyramidPlan]:
    source = Source.from_bytes(data)
    header = inspect_large_image(source, LIMITS)
    return source, header, plan_pyramid(source, header, LIMITS, tile_px=256, strip_bytes=strip_bytes)


def file_of(binding: Assembly, strips: dict[int, bytes]) -> bytes:
    return binding.head + b"".join(strips[number] for number in sorted(strips))


def pyramid_of(data: bytes, **options: int) -> bytes:
    source, header, plan = plan_of(data, **options)
    strips: dict[int, bytes] = {}
    body = file_of(write_pyramid(source, header, plan, strips.__setitem__, LIMITS), strips)
    assert len(strips) == plan.layout.strips > 1
    return body


def level(body: bytes, number: int) -> Any:
    return pyvips.Image.tiffload_buffer(body, subifd=number - 1).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_all_levels_are_those_of_a_pyramid(form: str) -> None:
    data = upload(form)
    body, wanted = pyramid_of(data), build_pyramid(Source.from_bytes(data), header(data), limits=LIMITS)
    assert find_page(Source.from_bytes(body), 0) == find_page(Source.from_bytes(wanted), 0)
    assert find_page(Source.from_bytes(body), 0).shrinks == (2, 4, 8)
    for number in range(4):
        assert np.array_equal(level(body, number), level(wanted, number)), number


@pytest.mark.slow
@pytest.mark.parametrize(("bands", "deep"), [(1, False), (4, False), (2, False), (3, True), (1, True), (4, True)])
def test_so_they_are_of_any_kind_of_pixels(bands: int, deep: bool) -> None:
    data = upload("tiles", 1600, 1152, bands, deep=deep)
    body, wanted = pyramid_of(data), build_pyramid(Source.from_bytes(data), header(data), limits=LIMITS)
    assert np.array_equal(level(body, 0), level(wanted, 0))
    if bands in (1, 3):
        assert all(np.array_equal(level(body, number), level(wanted, number)) for number in range(1, 4))
    look_alike(data, body, width=150)


@pytest.mark.sample(9)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_stays_turned(orientation: int) -> None:
    data = in_jpeg(make_image(1200, 900).jpegsave_buffer(Q=92), orientation)
    body = pyramid_of(data, strip_bytes=0)
    assert header(body).orientation == orientation
    look_alike(data, body, width=200)


def test_a_drawing_stays_lossless() -> None:
    drawing = photo().quantize(4).convert("RGB").resize((1280, 960), Image.Resampling.NEAREST)
    for data in (saved(drawing, "TIFF"), saved(drawing, "PNG")):
        _, _, plan = plan_of(data, strip_bytes=0)
        assert not plan.lossy
        assert np.array_equal(level(pyramid_of(data, strip_bytes=0), 0), np.asarray(drawing))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tiles", "strips", "strips, BigTIFF"])
def test_strips_may_be_made_in_any_order_and_again(form: str) -> None:
    source, header, plan = plan_of(upload(form))
    assert plan.by_region
    first = [cut_strip(source, header, plan, strip, LIMITS) for strip in range(plan.layout.strips)]
    order = [*range(plan.layout.strips)] * 2
    Random(1).shuffle(order)
    for strip in order:
        reopened = Source.from_bytes(upload(form))
        assert (
            cut_strip(
                reopened,
                inspect_large_image(reopened, LIMITS),
                PyramidPlan.from_document(json.loads(json.dumps(plan.to_document()))),
                strip,
                LIMITS,
            )
            == (first[strip])
        )
    strips: dict[int, bytes] = {}
    write_pyramid(source, header, plan, strips.__setitem__, LIMITS)
    assert strips == {strip: made.body for strip, made in enumerate(first)}


@pytest.mark.parametrize("form", ["tiles", "strips", "strips, BigTIFF"])
def test_a_strip_reads_that_strip_alone(form: str) -> None:
    data = upload(form)
    _, _, plan = plan_of(data, strip_bytes=0)
    for strip in (0, plan.layout.strips - 1):
        store = Store(data)
        source = Source.from_ranges(BlockCache(store, len(data), max_readahead_bytes=0))
        cut_strip(source, inspect_large_image(source, LIMITS), plan, strip, LIMITS)
        assert sum(end - start for start, end in store.asked) < 0.45 * len(data)


@pytest.mark.slow
def test_a_strip_of_what_is_read_from_its_top_is_made_all_the_same() -> None:
    source, header, plan = plan_of(upload("PNG"))
    assert not plan.by_region
    strips: dict[int, bytes] = {}
    write_pyramid(source, header, plan, strips.__setitem__, LIMITS)
    for strip, body in strips.items():
        assert cut_strip(Source.from_bytes(upload("PNG")), header, plan, strip, LIMITS).body == body


@pytest.mark.slow
@given(st.integers(1, 900), st.integers(1, 700), st.integers(1, 8), st.sampled_from([1, 3, 4]))
def test_any_size_in_strips_of_any_height(width: int, height: int, rows: int, bands: int) -> None:
    if max(width, height) <= 64:
        width += 64
    image = make_image(width, height, bands)
    data = image.tiffsave_buffer(compression="deflate")
    source = Source.from_bytes(data)
    header = inspect_large_image(source, LIMITS)
    plan = replace(plan_pyramid(source, header, LIMITS, tile_px=64, strip_bytes=rows * 64 * width * bands), lossy=False)
    strips: dict[int, bytes] = {}
    body = file_of(write_pyramid(source, header, plan, strips.__setitem__, LIMITS), strips)
    assert len(find_page(Source.from_bytes(body), 0).shrinks) == len(plan.layout.sizes) - 1
    assert np.array_equal(level(body, 0), image.numpy())
    for number in range(1, len(plan.layout.sizes)):
        above = pyvips.Image.tiffload_buffer(body, subifd=number - 2)
        size = plan.layout.sizes[number]
        wanted = shrink_pairs(above, size) if number <= plan.layout.first_top_level else halve(above)
        assert np.array_equal(level(body, number), wanted.numpy()), number


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(0, 10_000_000), st.integers(1, 8))
def test_a_layout_covers_every_level_once(width: int, height: int, strip_bytes: int, pixel_bytes: int) -> None:
    if max(width, height) <= 64:
        with pytest.raises(ValueError, match="more than one tile"):
            PyramidLayout.of(Size(width, height), pixel_bytes, tile_px=64)
        return
    layout = PyramidLayout.of(Size(width, height), pixel_bytes, tile_px=64, strip_bytes=strip_bytes)
    assert max(layout.sizes[-1]) <= 64 < max(layout.sizes[-2])
    assert layout.first_top_level < len(layout.sizes)
    assert layout.depth == 0 or width * layout.strip_px * pixel_bytes <= strip_bytes
    for number in range(layout.first_top_level + 1):
        parts = [layout.part(strip, number) for strip in range(layout.strips)]
        assert sum(part.height for part in parts) == layout.sizes[number].height
        if number <= layout.depth:
            assert sum(map(layout.tiles, parts)) == layout.tiles(layout.sizes[number])


@pytest.mark.sample(27)
@pytest.mark.parametrize("width", [40, 150, 301, 700, 1600])
def test_derivatives_of_a_large_image_are_those_of_the_upload(width: int) -> None:
    look_alike(upload("tiles"), pyramid_of(upload("tiles")), width=width)


@pytest.mark.sample(2)
@pytest.mark.parametrize("width", [40, 90, 180, 375])
def test_odd_sizes_shift_little(width: int) -> None:
    """By a quarter of a pixel at 375 px, where a level has lost the last of 1501; half a pixel would show as 4."""
    upright = photo().resize((1501, 1127), Image.Resampling.LANCZOS)
    shown = seen(made(pyramid_of(saved(upright, "TIFF"), strip_bytes=0), width=width).body)
    wanted = np.asarray(upright.resize(shown.shape[1::-1], Image.Resampling.LANCZOS))
    assert apart(shown, wanted) < 2


@given(st.integers(0, 60), st.lists(st.integers(0, 90), min_size=1, max_size=30), st.integers(1, 40))
def test_runs_are_the_file_and_large_enough(head: int, strips: list[int], least: int) -> None:
    binding = Assembly(bytes(head), tuple(strips))
    bodies = {FILE_HEAD: b"h" * head} | {number: bytes([number]) * size for number, size in enumerate(strips)}
    runs = binding.plan_parts(least)
    joined = b"".join(bodies[part][start:end] for run in runs for part, start, end in run)
    assert joined == b"".join(bodies.values())
    assert len(joined) == binding.size_bytes
    assert all(sum(one.end - one.start for one in run) >= least for run in runs[:-1])
    assert all(one.end > one.start for run in runs for one in run)
    for run in runs:
        if len(run) > 1:  # bytes that pass through the memory of a function
            assert sum(one.end - one.start for one in run) < 2 * least


def parts() -> tuple[PyramidPlan, list[EncodedStrip]]:
    source, header, plan = plan_of(upload("tiles"), strip_bytes=0)
    return plan, [cut_strip(source, header, plan, strip, LIMITS) for strip in range(plan.layout.strips)]


def test_strips_are_passed_to_assembly_as_json() -> None:
    plan, strips = parts()
    top = build_top_levels(plan, [one.next_level for one in strips])
    indexes = [TileIndex.from_document(json.loads(json.dumps(one.index.to_document()))) for one in strips]
    assert indexes == [one.index for one in strips]
    assert assemble(plan, indexes, top, LIMITS).size_bytes == sum(one.index.size_bytes for one in strips) + len(
        assemble(plan, indexes, top, LIMITS).head
    )


def test_strips_that_do_not_belong_together_are_not_bound() -> None:
    plan, strips = parts()
    top = build_top_levels(plan, [one.next_level for one in strips])
    indexes = [one.index for one in strips]
    for wrong in (indexes[:-1], [*indexes, indexes[0]], [*indexes[:-1], indexes[-1]._replace(encoding_checksum=1)]):
        with pytest.raises(ValueError, match="strips"):
            assemble(plan, wrong, top, LIMITS)
    for rows in ([one.next_level for one in strips[:-1]], [b"", *(one.next_level for one in strips[1:])]):
        with pytest.raises(ValueError, match="rows"):
            build_top_levels(plan, rows)


@pytest.mark.slow
def test_a_large_image_has_limits_of_its_own() -> None:
    data = upload("tiles")
    small = Limits(max_pixels=1000, max_bytes=1000)
    source = Source.from_bytes(data)
    header = inspect_large_image(source, small)
    plan = plan_pyramid(source, header, small, tile_px=256, strip_bytes=0)
    strips: dict[int, bytes] = {}
    size = write_pyramid(source, header, plan, strips.__setitem__, small).size_bytes
    for over in (Limits(max_scene_pixels=1600 * 1152 - 1), Limits(max_scene_bytes=len(data) - 1)):
        with pytest.raises(OverLimits):
            inspect_large_image(source, over)
    with pytest.raises(OverLimits, match="pyramid of the source"):
        write_pyramid(source, header, plan, strips.__setitem__, Limits(max_scene_bytes=size - 1))
    book = saved(photo(), "TIFF", save_all=True, append_images=[photo()])
    with pytest.raises(OverLimits, match="2 frames or pages"):
        inspect_large_image(Source.from_bytes(book), LIMITS)


def test_of_a_large_image_only_what_is_read_counts() -> None:
    body = pyramid_of(upload("tiles"))
    limits = Limits(max_pixels=300 * 300)
    assert made(body, limits=limits, width=100).width == 100
    # Where a level larger than the result is too much, one of the size of the result is used.
    whole = Source.from_ranges(Store(body).blocks())
    assert made(whole, limits=limits, crop=Crop("px", 0, 0, 512, 512), width=256).width == 256
    for options in ({"crop": Crop("px", 0, 0, 400, 400)}, {"trim": 10, "width": 50}, {"width": 700}):
        with pytest.raises(BadOption, match="read at once"):
            made(body, limits=limits, **options)
    with pytest.raises(OverLimits):
        made(body, limits=Limits(max_pixels=300 * 300, max_scene_pixels=1600 * 1152 - 1), width=100)
    with pytest.raises(OverLimits):
        made(upload("tiles"), limits=limits, width=100)  # which has no smaller versions


def test_only_by_ranges_may_a_large_image_have_more_bytes() -> None:
    body = pyramid_of(upload("tiles"))
    limits = Limits(max_bytes=len(body) - 1)
    assert made(Source.from_ranges(Store(body).blocks()), limits=limits, width=100).width == 100
    with pytest.raises(OverLimits):
        made(body, limits=limits, width=100)


@pytest.mark.slow
def test_a_tile_of_a_large_image_is_read_from_few_bytes() -> None:
    body = pyramid_of(upload("tiles"))
    store = Store(body)
    source = Source.from_ranges(store.blocks())
    options = {"crop": Crop("px", 1024, 768, 256, 256)}
    wanted = seen(made(upload("tiles"), **options).body)
    assert alike(seen(made(source, **options).body), wanted) > 0.97
    assert sum(end - start for start, end in store.asked) < 0.3 * len(body)


def test_damage_shows_while_a_strip_is_made() -> None:
    broken = bytearray(upload("tiles"))
    broken[len(broken) // 3 : len(broken) // 2] = bytes(len(broken) // 2 - len(broken) // 3)
    source = Source.from_bytes(bytes(broken))
    _, header, plan = plan_of(upload("tiles"), strip_bytes=0)
    with pytest.raises(DamagedSource):
        write_pyramid(source, header, plan, lambda _, __: None, LIMITS)


def test_a_line_that_breaks_is_no_damage() -> None:
    data = upload("strips")
    _, header, plan = plan_of(data, strip_bytes=0)

    def failing(start: int, end: int) -> bytes:
        if start > len(data) // 2:
            raise Unavailable(detail="the line is down")
        return data[start:end]

    source = Source.from_ranges(BlockCache(failing, len(data)))
    with pytest.raises(Unavailable, match=r"."):
        write_pyramid(source, header, plan, lambda _, __: None, LIMITS)


@pytest.mark.slow
def test_other_readers_open_it() -> None:
    body = pyramid_of(upload("tiles"))
    with Image.open(io.BytesIO(body)) as image:
        assert image.size == (1600, 1152)
        assert apart(np.asarray(image), level(body, 0)) < 1
    with pytest.raises(ValueError, match=r"."):
        read_tiled(body)


MEASURE = """
import os, sys
from darkroom.imaging.block_cache import BlockCache
from darkroom_pipeline.imaging.pyramid.plan import inspect_large_image, plan_pyramid
from darkroom_pipeline.imaging.pyramid.assemble import write_pyramid
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
file = open(sys.argv[1], "rb")
def read(start, end):
    file.seek(start)
    return file.read(end - start)
source, limits = Source.from_ranges(BlockCache(read, os.path.getsize(sys.argv[1]))), Limits()
header = inspect_large_image(source, limits)
plan = plan_pyramid(source, header, limits, strip_bytes=20_000_000)
before = read_peak_kb()
binding = write_pyramid(source, header, plan, lambda strip, body: None, limits)
print((read_peak_kb() - before) // 1024, binding.size_bytes // 1048576)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tiff", "png"])
def test_a_large_image_takes_little_memory(tmp_path: Path, form: str) -> None:
    """48 MP are 144 MB of pixels; in memory are a strip, the rows of the first top level, and the top levels twice."""
    path = tmp_path / f"large.{form}"
    large = make_image(2000, 1500).replicate(4, 4)
    large.write_to_file(str(path), **({"compression": "packbits"} if form == "tiff" else {"compression": 0}))
    layer = Path(__file__).parents[3] / "layers/darkroom"
    environment = {"PYTHONPATH": str(layer), "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", READ_PEAK + MEASURE, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    grown_mb, body_mb = map(int, done.stdout.split())
    assert body_mb > 20
    assert grown_mb < 130
