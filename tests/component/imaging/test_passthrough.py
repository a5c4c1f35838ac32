"""Passthrough: a master in the requested form is returned without metadata; all others are rendered."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DamagedSource
from darkroom.imaging.formats import load
from darkroom.imaging.render.passthrough import estimate_jpeg_quality
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.canonical import parse_path
from darkroom.plan.limits import Limits
from darkroom.plan.model import AUTO_QUALITY
from darkroom.plan.native_url import parse_url

SIZE = (96, 64)


def photo() -> Image.Image:
    seed = np.random.default_rng(7)
    coarse = Image.fromarray(seed.integers(0, 255, (12, 18, 3), dtype=np.uint8))
    return coarse.resize(SIZE, Image.Resampling.BICUBIC)


def jpeg(quality: int = 70, **how: object) -> bytes:
    out = io.BytesIO()
    photo().save(out, "JPEG", quality=quality, **how)
    return out.getvalue()


def gif() -> bytes:
    out = io.BytesIO()
    frames = [photo().rotate(turn).quantize(64) for turn in (0, 90, 180)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=80)
    return out.getvalue()


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "Secret camera"
    return data


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def answered(data: bytes, *, checked: bool = True, **options: object) -> bytes:
    asked = parse_url("/photo?" + "&".join(f"{name}={value}" for name, value in options.items()))
    plan = parse_path(asked.path)
    return render(
        plan,
        Source.from_bytes(data),
        limits=Limits(),
        checked_sha256=hashlib.sha256(data).hexdigest() if checked else "",
    ).body


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(load.pyvips.Operation, "call", never)


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize(
    "options", [{"f": "jpeg"}, {}, {"f": "jpeg", "w": 320}, {"f": "jpeg", "w": SIZE[0]}, {"f": "jpeg", "q": 71}]
)
def test_a_jpeg_that_is_requested_as_it_is_is_not_decoded(options: dict[str, object]) -> None:
    data = jpeg(exif=exif(1).tobytes())
    body = answered(data, **options)
    assert b"Secret camera" in data
    assert b"Secret camera" not in body
    assert np.array_equal(pixels(body), pixels(data))


@pytest.mark.usefixtures("undecoded")
def test_a_gif_keeps_its_frames() -> None:
    body = answered(gif(), f="gif")
    with Image.open(io.BytesIO(body)) as image:
        assert (image.n_frames, image.size) == (3, SIZE)


MADE = {
    "better than is asked for": (jpeg(90), {"f": "jpeg"}),
    "better than q": (jpeg(70), {"f": "jpeg", "q": 60}),
    "another type": (jpeg(), {"f": "webp"}),
    "smaller": (jpeg(), {"f": "jpeg", "w": 48}),
    "cut": (jpeg(), {"f": "jpeg", "crop": "0,0,48,64"}),
    "an effect": (jpeg(), {"f": "jpeg", "gray": 1}),
    "stored turned": (jpeg(exif=exif(6).tobytes()), {"f": "jpeg"}),
    "a profile": (jpeg(icc_profile=b"0" * 128), {"f": "jpeg"}),
    "by score": (jpeg(), {"f": "jpeg", "q": AUTO_QUALITY}),
}


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("case", MADE)
def test_all_else_is_made(case: str) -> None:
    data, options = MADE[case]
    with pytest.raises(AssertionError, match="decoded"):
        answered(data, **options)


@pytest.mark.parametrize("recorded", ["", hashlib.sha256(jpeg()).hexdigest()], ids=["nothing", "another object"])
def test_what_ingest_has_not_decoded_is_decoded(recorded: str) -> None:
    plan = parse_path(parse_url("/photo?f=jpeg").path)
    for damaged in (jpeg()[:-400] + b"\xff\xd9", jpeg()[:-400]):
        with pytest.raises(DamagedSource):
            render(plan, Source.from_bytes(damaged), limits=Limits(), checked_sha256=recorded)


@pytest.mark.parametrize("quality", [25, 50, 70, 80, 92, 99])
def test_the_quality_of_a_jpeg_is_read_from_its_table(quality: int) -> None:
    assert estimate_jpeg_quality(Source.from_bytes(jpeg(quality))) == pytest.approx(quality, abs=1.5)
