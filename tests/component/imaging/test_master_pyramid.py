"""Pyramids: a small derivative of a huge image reads few bytes, pages stay pages, memory use is bounded."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.errors import BadOption, DamagedSource, DarkroomError, OverLimits
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.formats.tiff.container import Tag, TiffReader
from darkroom.imaging.formats.tiff.probe import find_page
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop
from darkroom_pipeline.imaging import master as making
from darkroom_pipeline.imaging.master import HUGE_PIXELS, make_master
from darkroom_pipeline.imaging.pyramid.build import build_pyramid
from tests.images.drawn import animation
from tests.images.masters import header, look_alike, mastered
from tests.images.planted import in_jpeg
from tests.images.rendering import alike, apart, made, opened, seen
from tests.images.sources import cutout, photo, saved, sixteen_bit, sources
from tests.peak_memory import READ_PEAK

from .test_gainmap import ultra_hdr

SIDE = 1600


@cache
def large() -> bytes:
    """A photograph of 1600 × 1200 px, whose pyramid has three smaller versions."""
    return saved(photo().resize((SIDE, SIDE * 3 // 4), Image.Resampling.LANCZOS), "JPEG", quality=92)


@cache
def large_pyramid() -> bytes:
    return build_pyramid(Source.from_bytes(large()), header(large()), limits=Limits())


def streamed(data: bytes, **options: object) -> tuple[bytes, int]:
    """A render of a stream, and how many bytes of it were taken."""
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for at in range(0, len(data), 4096):
            taken += 4096
            yield data[at : at + 4096]

    return made(Source.from_stream(chunks(), len(data)), **options).body, min(taken, len(data))


def test_levels_are_halves_down_to_one_tile() -> None:
    found = find_page(Source.from_bytes(large_pyramid()), 0)
    assert found == (0, (2, 4, 8))
    assert header(large_pyramid()).width == SIDE
    assert header(large_pyramid()).frames == 1


def test_a_small_image_has_no_levels() -> None:
    small = saved(photo().resize((60, 45)), "TIFF")
    assert find_page(Source.from_bytes(mastered(small).body), 0) == (0, ())
    look_alike(small, mastered(small).body)


@pytest.mark.sample(9)
@pytest.mark.parametrize("width", [90, 190, 200, 201, 400, 800, 1500, None])
def test_any_size_is_close_to_a_render_of_the_upload(width: int | None) -> None:
    look_alike(large(), large_pyramid(), width=width)


@pytest.mark.parametrize(("width", "share"), [(90, 0.1), (180, 0.2), (370, 0.45)])
def test_a_small_derivative_reads_the_beginning_only(width: int, share: float) -> None:
    body, taken = streamed(large_pyramid(), width=width)
    assert body == made(large_pyramid(), width=width).body
    assert taken <= share * len(large_pyramid())


@pytest.mark.sample(2)
@pytest.mark.parametrize("width", [40, 90, 180, 375])
def test_odd_sizes_shift_nothing(width: int) -> None:
    """A side of 1501 px has no half. A shift by half a pixel would show as 4 levels and more here."""
    upright = photo().resize((1501, 1127), Image.Resampling.LANCZOS)
    shown = seen(made(mastered(saved(upright, "TIFF")).body, width=width).body)
    wanted = np.asarray(upright.resize(shown.shape[1::-1], Image.Resampling.LANCZOS))
    assert apart(shown, wanted) < 1


@pytest.mark.slow
def test_cuts_and_covers_come_from_the_level_that_is_enough() -> None:
    for options in (
        {"crop": Crop("pct", 25, 25, 50, 50), "width": 300},
        {"crop": Crop("px", 100, 50, 200, 150)},
        {"width": 90, "height": 160, "fit": "cover"},
        {"trim": 10, "width": 200},
    ):
        before, after = (seen(made(body, **options).body) for body in (large(), large_pyramid()))
        assert alike(before, after) > 0.97
        assert apart(before, after) < 2.5


@pytest.mark.slow
def test_at_least_a_halving_is_left_to_the_resize(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    call = pyvips.Operation.call

    def listening(name: str, *args: object, **options: object) -> object:
        if name == "tiffload_source":
            asked.append(options.get("subifd", -1))  # type: ignore[arg-type]
        return call(name, *args, **options)

    monkeypatch.setattr(pyvips.Operation, "call", listening)
    for width in (SIDE, SIDE // 2, SIDE // 4, SIDE // 4 + 5, SIDE // 8, SIDE // 16, 10):
        made(large_pyramid(), width=width)
    assert asked == [-1, -1, 0, -1, 1, 2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_images_stay_turned_in_every_level(orientation: int) -> None:
    upload = in_jpeg(large(), orientation)
    body = build_pyramid(Source.from_bytes(upload), header(upload), limits=Limits())
    assert header(body).orientation == orientation
    look_alike(upload, body, width=120)
    look_alike(upload, body)


SHEETS = {
    "grey": photo().convert("L").resize((700, 525)),
    "colour": photo(),
    "transparent": cutout(),
    "black and white": photo().convert("1"),
    "ink": photo().convert("CMYK"),
    "large": photo().resize((900, 675)),
}


@cache
def book() -> bytes:
    first, *others = SHEETS.values()
    return saved(first, "TIFF", save_all=True, append_images=others)


@pytest.mark.slow
def test_pages_stay_pages_whatever_they_are() -> None:
    master = mastered(book())
    assert master.method == "pyramid"
    assert header(master.body).frames == len(SHEETS) == header(book()).frames
    for page in range(len(SHEETS)):
        headers = [probe(Source.from_bytes(body), Limits(), page=page) for body in (book(), master.body)]
        assert (headers[0].width, headers[0].height) == (headers[1].width, headers[1].height)
        assert headers[0].has_alpha == headers[1].has_alpha
        look_alike(book(), master.body, page=page)
        look_alike(book(), master.body, page=page, width=100)
    with pytest.raises(BadOption):
        made(master.body, page=len(SHEETS))


def test_other_readers_see_the_pages() -> None:
    with Image.open(io.BytesIO(mastered(book()).body)) as master, Image.open(io.BytesIO(book())) as upload:
        assert master.n_frames == upload.n_frames == len(SHEETS)
        for page in range(len(SHEETS)):
            master.seek(page)
            upload.seek(page)
            assert master.size == upload.size
            if upload.mode != "CMYK":  # of which Pillow makes something else
                assert apart(np.asarray(master.convert("RGB")), np.asarray(upload.convert("RGB"))) < 3


def test_what_is_lossless_stays_so() -> None:
    drawing = saved(photo().quantize(4).convert("RGB").resize((640, 480), Image.Resampling.NEAREST), "TIFF")
    clear, fine = saved(cutout(), "TIFF"), sixteen_bit()
    for upload in (drawing, clear, fine):
        body = build_pyramid(Source.from_bytes(upload), header(upload), limits=Limits())
        before, after = (pyvips.Image.new_from_buffer(data, "") for data in (upload, body))
        assert before.format == after.format
        assert bytes(before.write_to_memory()) == bytes(after.write_to_memory())
    assert header(body).bits == 16


def test_photographs_of_eight_bits_become_jpeg_tiles() -> None:
    assert opened(mastered(saved(photo(), "TIFF")).body).info["compression"] == "jpeg"
    assert opened(large_pyramid()).info["compression"] == "jpeg"


@pytest.mark.slow
def test_huge_stills_become_pyramids(monkeypatch: pytest.MonkeyPatch) -> None:
    assert HUGE_PIXELS == 64_000_000
    monkeypatch.setattr(making, "HUGE_PIXELS", 320 * 240)
    for name, upload in sources().items():
        master = mastered(upload)
        assert master.method == ("sanitised" if name == "svg" else "pyramid"), name
        look_alike(upload, master.body, width=60)
    assert mastered(saved(photo().resize((319, 240)), "JPEG")).method == "cleaned"


def test_what_would_lose_more_than_it_gains_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "HUGE_PIXELS", 100)
    assert mastered(animation("GIF")).method == "cleaned"
    assert mastered(animation("WEBP")).method == "cleaned"
    assert mastered(ultra_hdr()).method == "cleaned"


@pytest.mark.parametrize("kind", ["webp alpha", "png 16 bit", "avif"])
def test_a_master_is_within_the_limits_itself(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing could be rendered from it."""
    monkeypatch.setattr(making, "HUGE_PIXELS", 100)
    upload = sources()[kind]
    usual = mastered(upload).body
    thrifty = mastered(upload, limits=Limits(max_bytes=len(usual) - 1)).body
    assert len(thrifty) < 0.6 * len(usual)
    assert header(thrifty).has_alpha == header(upload).has_alpha
    look_alike(upload, thrifty, width=100)


def test_a_master_that_stays_too_large_is_refused() -> None:
    drawing = saved(photo().quantize(3), "TIFF", compression="tiff_lzw")
    with pytest.raises(OverLimits, match="pyramid of the source"):
        make_master(drawing, header(drawing), limits=Limits(max_bytes=len(drawing)))


def test_pages_have_too_many_pixels_together() -> None:
    limits = Limits(max_pixels=900 * 675 + 700 * 525)
    with pytest.raises(OverLimits, match="on 6 pages"):
        make_master(book(), header(book()), limits=limits)
    assert make_master(book(), header(book()), limits=Limits(max_pixels=2_000_000)).method == "pyramid"


def test_a_page_that_is_damaged_is_damage() -> None:
    cut = book()[: len(book()) // 2]
    with pytest.raises(DarkroomError) as caught:
        make_master(cut, header(book()), limits=Limits())
    assert caught.value.code == "damaged"


def test_a_damaged_master_is_damaged_at_the_level_that_is_read() -> None:
    damaged = bytearray(large_pyramid())
    tiff = TiffReader(lambda at, length: bytes(damaged[at : at + length]))
    (main,) = tiff.read_directories()
    smallest = tiff.read_directory(tiff.read_numbers(main, Tag.SUB_DIRECTORIES, 9)[-1])
    at = tiff.read_number(smallest, Tag.TILE_OFFSETS)
    damaged[at : at + 2000] = bytes(2000)
    with pytest.raises(DamagedSource):
        made(bytes(damaged), width=90)


MEASURE = """
import sys
from darkroom.imaging.formats.probe import probe
from darkroom_pipeline.imaging.master import make_master
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
data = open(sys.argv[1], "rb").read()
header = probe(Source.from_bytes(data), Limits())
before = read_peak_kb()
master = make_master(data, header, limits=Limits())
grown = (read_peak_kb() - before) // 1024
print(grown, len(master.body) // 1048576, master.method)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_a_huge_image_takes_little_memory(tmp_path: Path, form: str) -> None:
    """64 MP are 192 MB of pixels; in memory are the pyramid, twice, and a few rows of tiles."""
    options = {"compression": "tiff_adobe_deflate"} if form == "TIFF" else {"quality": 80}
    path = tmp_path / "huge"
    path.write_bytes(saved(photo().resize((9600, 6700), Image.Resampling.BILINEAR), form, **options))
    layer = Path(__file__).parents[3] / "layers/darkroom"
    command = [sys.executable, "-c", READ_PEAK + MEASURE, str(path)]
    environment = {"PYTHONPATH": str(layer), "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    grown_mb, body_mb, how = done.stdout.split()
    assert how == "pyramid"
    assert int(grown_mb) < 3 * int(body_mb) + 60
    assert int(grown_mb) < 192
