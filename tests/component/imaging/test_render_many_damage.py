"""A batch reads its source to the end for any set of plans, with bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DamagedSource, Unavailable
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Gravity, Plan
from darkroom_pipeline.imaging.master import make_master
from darkroom_pipeline.imaging.render_many import decode_once
from tests.images.sources import cutout, photo, saved, sources
from tests.peak_memory import READ_PEAK

ROOT = Path(__file__).parents[3]
STILL = Plan("k", width=40, format="jpeg")
WANTED: dict[str, list[Plan]] = {
    "nothing": [],
    "a still": [STILL],
    "the top": [Plan("k", width=100, height=10, fit="cover", gravity=Gravity("north"), format="webp")],
    "a crop": [Plan("k", crop=Crop("pct", 0, 0, 100, 10), format="webp")],
    "all of it": [Plan("k", format="webp"), Plan("k", width=100, format="webp")],
}


def decode_batch(source: Source, plans: list[Plan]) -> None:
    decode_once(source, plans, limits=Limits())


@pytest.mark.sample(7)
@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("kind", [kind for kind in sources() if kind != "svg"])
def test_damage_at_the_end_is_found_before_any_image(kind: str, wanted: str) -> None:
    data = sources()[kind]
    decode_batch(Source.from_bytes(data), WANTED[wanted])
    with pytest.raises(DamagedSource):
        decode_batch(Source.from_bytes(data[: len(data) * 9 // 10]), WANTED[wanted])


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
@pytest.mark.parametrize("wanted", WANTED)
def test_every_frame_must_be_sound(form: str, wanted: str) -> None:
    noise = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (60, 60, 3), dtype=np.uint8)) for n in range(4)]
    data = saved(noise[0], form, save_all=True, append_images=noise[1:], duration=50)
    decode_batch(Source.from_bytes(data), WANTED[wanted])
    with pytest.raises(DamagedSource):
        decode_batch(Source.from_bytes(data[: len(data) * 9 // 10]), WANTED[wanted])


@pytest.mark.slow
def test_a_tiff_is_decoded_itself_not_a_smaller_copy_in_it() -> None:
    tiff = saved(cutout().resize((1600, 1200)), "TIFF")
    pyramid = make_master(tiff, probe(Source.from_bytes(tiff), Limits()), limits=Limits())
    decode_batch(Source.from_bytes(pyramid.body), [STILL])
    damaged = bytearray(pyramid.body)
    at = len(damaged) * 3 // 4
    damaged[at : at + 200] = bytes(200)
    assert render(STILL, Source.from_bytes(bytes(damaged)), limits=Limits()).width == 40, (
        "a copy is all that a render reads"
    )
    with pytest.raises(DamagedSource):
        decode_batch(Source.from_bytes(bytes(damaged)), [STILL])


def test_a_fault_of_the_stream_is_not_damage() -> None:
    def broken() -> Iterator[bytes]:
        yield sources()["jpeg"][:12_000]
        raise Unavailable(detail="the store hung up")

    with pytest.raises(Unavailable):
        decode_batch(Source.from_stream(broken(), len(sources()["jpeg"])), [STILL])


REFUSED = ("truncated.jpg", "truncated.gif", "corrupt-header.jpg", "corrupted.jpg")


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("wanted", WANTED)
def test_corpus_of_damage(corpus: Path, name: str, wanted: str) -> None:
    with pytest.raises(DamagedSource):
        decode_batch(Source.from_bytes((corpus / name).read_bytes()), WANTED[wanted])


MEASURE = """
import sys
from darkroom.imaging.source import Source
from darkroom_pipeline.imaging.render_many import decode_once
from darkroom.plan.limits import Limits
from darkroom.plan.presets import load_default_presets
data = open(sys.argv[1], "rb").read()
plans = list(load_default_presets().build_ingest_plans("k").values())
before = read_peak_kb()
batch = decode_once(Source.from_bytes(data), plans, limits=Limits())
assert len(list(batch.render_all())) == len(plans)
print((read_peak_kb() - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_large_image_is_never_whole_in_memory(tmp_path: Path, form: str) -> None:
    """36 MP are 108 MB of pixels. All presets together need 15 MB, the largest encode as much again."""
    options = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    file = tmp_path / "large"
    file.write_bytes(saved(photo().resize((7200, 5000), Image.Resampling.NEAREST), form, **options))
    environment = {"PYTHONPATH": str(ROOT / "layers/darkroom"), "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", READ_PEAK + MEASURE, str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100
