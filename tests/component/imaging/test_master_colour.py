"""Masters of images in colour spaces other than sRGB."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import ImageCms

from darkroom.imaging.colour.icc import rewrite_profile
from tests.images.drawn import HEIC
from tests.images.masters import MOST_LEVELS, header, loaded, look_alike, mastered
from tests.images.rendering import apart, frames, made, opened, seen
from tests.images.sources import cutout, photo, saved, sources


def profile(name: str) -> bytes:
    return bytes(pyvips.Image.profile_load(name))


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lookup_table() -> bytes:
    """An RGB profile of one table of two steps a channel."""
    grid = 2
    inputs = b"".join(value.to_bytes(2) for value in (0, 65535)) * 3
    table = b"".join(
        value.to_bytes(2) for r in range(grid) for g in range(grid) for b in range(grid) for value in _lab(r, g, b)
    )
    identity = b"".join(number.to_bytes(4) for number in (65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    lut = b"mft2" + bytes(4) + bytes((3, 3, grid, 0)) + identity + (2).to_bytes(2) * 2 + inputs + table + inputs
    text = b"desc" + bytes(4) + (4).to_bytes(4) + b"lut\0" + bytes(78)
    white = b"XYZ " + bytes(4) + b"".join(number.to_bytes(4) for number in (63190, 65536, 54061))
    elements = {b"desc": text + b"\0" * (-len(text) % 4), b"wtpt": white, b"A2B0": lut + b"\0" * (-len(lut) % 4)}
    at, entries = 132 + 12 * len(elements), b""
    for tag, element in elements.items():
        entries += tag + at.to_bytes(4) + len(element).to_bytes(4)
        at += len(element)
    head = at.to_bytes(4) + bytes(4) + b"\x02\x40\0\0" + b"scnrRGB Lab " + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(number.to_bytes(4) for number in (63190, 65536, 54061))
    return head.ljust(128, b"\0") + len(elements).to_bytes(4) + entries + b"".join(elements.values())


def _lab(r: int, g: int, b: int) -> tuple[int, int, int]:
    """16-bit Lab of ICC version 2 for a corner of the cube: a lightness, no hue but a tint."""
    light = 30 * r + 60 * g + 10 * b
    return (light * 65280 // 100, 32768 + 2000 * r - 2000 * g, 32768 + 2000 * g - 2000 * b)


@pytest.mark.sample(3)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("name", ["p3", "srgb"])
def test_simple_profiles_stay(form: str, name: str) -> None:
    upload = saved(photo(), form, icc_profile=profile(name), quality=90)
    master = mastered(upload)
    assert master.method == "cleaned"
    assert opened(master.body).info["icc_profile"] == rewrite_profile(profile(name))


UNREADABLE = {
    "of other channels": lambda: profile("cmyk"),
    "cut off": lambda: srgb()[:200],
    "without its curves": lambda: srgb().replace(b"TRC", b"XXX"),
    "nothing but a name": lambda: b"secret".ljust(16) + b"RGB ".ljust(200, b"\0"),
}


@pytest.mark.sample(5)
@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_profiles_that_no_viewer_reads_are_dropped(form: str, name: str) -> None:
    upload = saved(photo(), form, icc_profile=UNREADABLE[name](), quality=90)
    master = mastered(upload)
    assert master.method == "cleaned"
    assert not header(master.body).has_profile
    assert loaded(upload) == loaded(master.body)
    look_alike(upload, master.body)


def test_a_grey_profile_stays_with_grey_alone() -> None:
    grey = opened(saved(photo().convert("L"), "PNG"))
    curve = b"curv" + bytes(4) + (1).to_bytes(4) + (0x01CD).to_bytes(2) + bytes(2)
    body = srgb()[:16] + b"GRAY" + srgb()[20:128] + (1).to_bytes(4) + b"kTRC" + (144).to_bytes(4) + (14).to_bytes(4)
    known = len(body + curve).to_bytes(4) + body[4:] + curve
    for upload, stays in (
        (saved(grey, "PNG", icc_profile=known), True),
        (saved(photo(), "PNG", icc_profile=known), False),
    ):
        master = mastered(upload)
        assert master.method == "cleaned"
        assert ("icc_profile" in opened(master.body).info) is stays


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("form", "image", "content_type"),
    [
        ("JPEG", photo, "image/jpeg"),
        ("PNG", photo, "image/png"),
        ("WEBP", photo, "image/jpeg"),
        ("WEBP", cutout, "image/png"),
        ("AVIF", photo, "image/jpeg"),
        ("AVIF", cutout, "image/png"),
    ],
)
def test_tables_become_srgb(form: str, image: Any, content_type: str) -> None:
    upload = saved(image(), form, icc_profile=lookup_table(), quality=95)
    master = mastered(upload)
    assert (master.method, master.content_type) == ("encoded", content_type)
    assert not header(master.body).has_profile
    look_alike(upload, master.body)
    assert apart(seen(made(saved(image(), form, quality=95)).body), seen(made(upload).body)) > 5, "it does something"


def test_a_lossless_webp_becomes_a_png() -> None:
    upload = saved(photo(), "WEBP", icc_profile=lookup_table(), lossless=True)
    assert mastered(upload).content_type == "image/png"


def test_sixteen_bits_of_a_png_stay_sixteen() -> None:
    sixteen = pyvips.Image.new_from_buffer(sources()["png 16 bit"], "").copy()
    sixteen.set_type(pyvips.GValue.blob_type, "icc-profile-data", lookup_table())
    master = mastered(sixteen.pngsave_buffer())
    assert (master.method, header(master.body).bits) == ("encoded", 16)


@pytest.mark.slow
def test_an_animation_that_cannot_be_kept_plays_on_without_loss() -> None:
    sheets = [photo(), photo().rotate(180)]
    upload = saved(
        sheets[0],
        "WEBP",
        save_all=True,
        append_images=sheets[1:],
        duration=[70, 210],
        lossless=True,
        icc_profile=lookup_table(),
    )
    master = mastered(upload)
    assert (master.method, master.content_type) == ("encoded", "image/webp")
    assert header(master.body).frames == 2
    for before, after in zip(frames(made(upload, format="webp", quality=100).body), frames(master.body), strict=True):
        assert apart(before, after) < MOST_LEVELS


def test_wide_colour_of_a_heic_stays_wide() -> None:
    upload = (HEIC / "corners-display-p3.heic").read_bytes()
    master = mastered(upload).body
    assert b"P3" in opened(master).info["icc_profile"] or header(master).has_profile
    reds = [np.asarray(opened(body).convert("RGB"))[5, 5] for body in (master, made(master, format="png").body)]
    assert not np.array_equal(*reds)
    look_alike(upload, master)
