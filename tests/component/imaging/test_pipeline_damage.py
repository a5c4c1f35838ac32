"""Damaged files are refused for every format and position; no partial image is returned."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.errors import DamagedSource, DarkroomError, TypeNotAllowed
from darkroom.imaging.formats import load
from darkroom.plan.model import Crop, Gravity
from tests.images.rendering import made, seen
from tests.images.sources import photo, saved, sources

TOP = {"crop": Crop("pct", 0, 0, 100, 10)}
NORTH = {"width": 100, "height": 20, "fit": "cover", "gravity": Gravity("north")}


@pytest.mark.parametrize("options", [TOP, NORTH])
@pytest.mark.parametrize(
    "kind", ["jpeg", "jpeg progressive", "png", "webp", "gif", "avif", "tiff", "png 16 bit", "jpeg cmyk"]
)
def test_damage_behind_what_is_kept_is_damage(kind: str, options: dict[str, Any]) -> None:
    """A damaged source is refused for any requested part of it."""
    source = sources()[kind]
    assert made(source, **options).width in (100, 320)
    with pytest.raises(DamagedSource):
        made(source[: len(source) * 8 // 10], **options)


@pytest.mark.sample(15)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("top", [0, 50, 500])
@pytest.mark.parametrize("width", [None, 100])
def test_crops_of_a_tall_image_are_no_damage(form: str, top: int, width: int | None) -> None:
    """Lines are read once, in order: the last one, which is read to see that it is there, must not overtake others."""
    tall = saved(photo().resize((900, 1500)), form)
    for height in (30, 150, 700):
        image = made(tall, crop=Crop("px", 100, top, 200, height), width=width)
        assert image.width == (width or 200)


CHECKED = ("png", "avif", "tiff")
"""Formats whose containers or coders detect a flipped bit nearly always. JPEG, WebP and GIF have no checksums."""


@pytest.mark.parametrize("kind", [kind for kind in sources() if kind != "svg"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_image_is_refused(kind: str, share: float) -> None:
    source = sources()[kind]
    with pytest.raises(DamagedSource) as refusal:
        made(source[: int(len(source) * share)], width=100)
    assert "vips" not in refusal.value.message.lower()


@pytest.mark.parametrize("kind", CHECKED)
def test_a_flipped_bit_is_refused_or_harmless(kind: str) -> None:
    source, chance = sources()[kind], random.Random(11)
    wanted = seen(made(source, width=100).body).astype(int)
    refused = 0
    for _ in range(12):
        damaged = bytearray(source)
        damaged[chance.randrange(len(source) // 4, len(source) - 20)] ^= 1 << chance.randrange(8)
        try:
            found = seen(made(bytes(damaged), width=100).body).astype(int)
        except DarkroomError:
            refused += 1
        else:
            assert np.abs(found - wanted).mean() < 8
    assert refused >= 2


def test_lost_data_in_a_jpeg_is_refused() -> None:
    """A segment between two restart markers is missing, as after a bad network write: every stripe would shift."""
    stripes = pyvips.Image.new_from_array(np.asarray(photo())).jpegsave_buffer(Q=90, restart_interval=20)
    marks = [at for at in range(len(stripes) - 1) if stripes[at] == 0xFF and 0xD0 <= stripes[at + 1] <= 0xD7]
    lost = stripes[: marks[3]] + stripes[marks[5] :]
    assert made(stripes).width == 320
    with pytest.raises(DamagedSource):
        made(lost)
    progressive = sources()["jpeg progressive"]
    middle = len(progressive) // 2
    with pytest.raises(DamagedSource):
        made(progressive[:middle] + bytes(300) + progressive[middle + 300 :])


def test_harmless_requests_pass() -> None:
    jpeg, png, gif = sources()["jpeg"], sources()["png"], sources()["gif"]
    idat = png.index(b"IDAT") - 4
    broken_text = struct.pack(">I", 5) + b"tEXta\0bcd" + bytes(4)
    broken_exif = b"\xff\xe1\0\x10Exif\0\0MM\0*\xff\xff\xff\xff"
    for body in (
        jpeg + b"behind the end",
        jpeg[:-2] + bytes(20) + jpeg[-2:],
        jpeg[:2] + broken_exif + jpeg[2:],
        png[:idat] + broken_text + png[idat:],
        png + b"behind the end",
        gif[:-1],
    ):
        assert made(body, width=100).width == 100


def test_a_damaged_frame_spoils_the_animation() -> None:
    noise = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (60, 60, 3), dtype=np.uint8)) for n in range(4)]
    for form in ("GIF", "WEBP"):
        source = saved(noise[0], form, save_all=True, append_images=noise[1:], duration=50)
        with pytest.raises(DamagedSource):
            made(source[: len(source) * 3 // 4], format="webp", width=30)


def test_only_listed_loaders_exist() -> None:
    """Even by the name that libvips calls them: a PPM and a CSV would be read by it otherwise."""
    assert set(load.LOADERS) == {"jpeg", "png", "webp", "gif", "avif", "tiff", "svg"}
    for operation, body in (("ppmload_buffer", b"P5 1 1 255 0"), ("rawload", b""), ("jp2kload_buffer", b"")):
        with pytest.raises(pyvips.Error):
            pyvips.Operation.call(operation, body)
    with pytest.raises(pyvips.Error, match="not in a known format"):
        pyvips.Image.new_from_buffer(b"P5 1 1 255 \0", "")
    with pytest.raises(TypeNotAllowed):
        made(b"P5 1 1 255 \0")


def test_the_operation_cache_is_off() -> None:
    assert pyvips.cache_get_max() == 0


REFUSED = ("truncated.jpg", "truncated.gif", "corrupt-header.jpg", "corrupted.jpg")


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("options", [{"width": 320}, {"format": "webp"}, {"width": 100, "height": 100, "fit": "cover"}])
def test_corpus_of_damage(corpus: Path, name: str, options: dict[str, object]) -> None:
    with pytest.raises(DamagedSource):
        made((corpus / name).read_bytes(), **options)
