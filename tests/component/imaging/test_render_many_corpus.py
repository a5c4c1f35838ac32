"""Render the default presets of real images, each compared with a single render and labelled with its plan."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.imaging.formats.jpeg.ultrahdr import read_gain_map
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom.plan.presets import load_default_presets
from darkroom_pipeline.aws.vectors.packing import hamming_distance
from darkroom_pipeline.imaging.render_many import BatchRender, decode_once
from tests.images.rendering import Pixels, alike, apart, durations_ms, frames, seen

pytestmark = [pytest.mark.usefixtures("corpus"), pytest.mark.slow]

LEAST_SSIM = 0.995
MOST_LEVELS = 1.0
"""Of images without loss. The least and most found were 0.9957 and 0.91."""

REDUCED = (
    "photo-9mp.jpg",
    "photo-jolla.jpg",
    "ultra-hdr.jpg",
    "flowers.jpeg",
    "nikon-e950.jpg",
    "text-en.jpg",
    "people/two-men.jpg",
    "people/portrait.jpg",
)
"""Larger than most presets: these go through the cascade."""

NO_LARGER = (
    "Channel_digital_image_CMYK_color.jpg",
    "16-bit-grey-alpha.png",
    "p3.png",
    "prophoto.png",
    "rgba.png",
    "indexed.png",
    "cielab-dagams.tiff",
    "logo.svg",
    "landscape_6.jpg",
    "cogs.gif",
    "animated-loop-3.webp",
    "1.webp",
)
"""Byte by byte equal to a render, since the source itself serves all of their images."""


SLOW = ("avif-orientation-6.avif", "iphone.heic")
"""Half a second a decode."""


def source(corpus: Path, name: str) -> Source:
    return Source.from_bytes((corpus / name).read_bytes())


def decode_batch(corpus: Path, name: str, *plans: Plan) -> BatchRender:
    return decode_once(source(corpus, name), plans, limits=Limits())


def rendered(corpus: Path, name: str, plan: Plan) -> RenderedImage:
    return render(plan, source(corpus, name), limits=Limits(), effort="balanced")


def presets(**options: str) -> list[Plan]:
    return [replace(plan, **options) for plan in load_default_presets().build_ingest_plans("k").values()]


@pytest.mark.parametrize("name", [*REDUCED, *SLOW])
def test_presets_without_loss_are_a_renders(corpus: Path, name: str) -> None:
    plans = presets(format="png")
    for plan, image in decode_batch(corpus, name, *(plans[1::2] if name in SLOW else plans)).render_all():
        wanted = rendered(corpus, name, plan)
        assert (image.width, image.height) == (wanted.width, wanted.height)
        if image.body != wanted.body:
            assert alike(seen(image.body), seen(wanted.body)) >= LEAST_SSIM
            assert apart(seen(image.body), seen(wanted.body)) <= MOST_LEVELS


@pytest.mark.parametrize("name", ["photo-9mp.jpg", "people/portrait.jpg"])
def test_presets_are_as_near_to_the_image_as_a_renders(corpus: Path, name: str) -> None:
    for plan, image in decode_batch(corpus, name, *presets()[:3]).render_all():
        wanted = rendered(corpus, name, plan)
        assert (image.content_type, image.width, image.height) == ("image/webp", wanted.width, wanted.height)
        true = seen(rendered(corpus, name, replace(plan, format="png")).body)
        ours, theirs = seen(image.body), seen(wanted.body)
        assert alike(ours, true) >= alike(theirs, true) - 0.006
        assert apart(ours, true) <= apart(theirs, true) + 0.2
        assert len(image.body) == pytest.approx(len(wanted.body), rel=0.06)


@pytest.mark.parametrize("name", NO_LARGER)
def test_presets_of_small_images_are_a_renders_byte_by_byte(corpus: Path, name: str) -> None:
    for plan, image in decode_batch(corpus, name, *presets()).render_all():
        assert image.body == rendered(corpus, name, plan).body


def on_white(frame: Pixels) -> Pixels:
    image = Image.fromarray(frame)
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def test_a_long_animation_plays_the_same(corpus: Path) -> None:
    name = "rotating-squares.gif"
    plans = [Plan("k", width=width, format="webp") for width in (100, 60, 30)]
    for plan, image in decode_batch(corpus, name, *plans).render_all():
        wanted = rendered(corpus, name, plan)
        assert durations_ms(image.body) == durations_ms(wanted.body)
        for ours, theirs in zip(frames(image.body), frames(wanted.body), strict=True):
            assert apart(on_white(ours), on_white(theirs)) < 2.5


def test_the_gain_map_comes_along(corpus: Path) -> None:
    plans = [Plan("k", width=width, format="jpeg") for width in (1600, 800)]
    for plan, image in decode_batch(corpus, "ultra-hdr.jpg", *plans).render_all():
        found, wanted = read_gain_map(image.body), read_gain_map(rendered(corpus, "ultra-hdr.jpg", plan).body)
        assert found is not None
        assert wanted is not None
        assert (found.size, found.parameters) == (wanted.size, wanted.parameters)
        assert apart(seen(found.jpeg), seen(wanted.jpeg)) < 0.5


@pytest.mark.parametrize("name", [*REDUCED, *SLOW, "landscape_5.jpg", "rgba.png", "logo.svg", "cogs.gif", "p3.png"])
@pytest.mark.parametrize("wanted", ["presets", "nothing"])
def test_it_describes_the_image_as_f_json_does(corpus: Path, name: str, wanted: str) -> None:
    found = decode_batch(corpus, name, *(presets() if wanted == "presets" else []))
    described = json.loads(rendered(corpus, name, Plan("k", format="json")).body)
    assert rendered(corpus, name, Plan("k", format="thumbhash")).body.decode() == described["thumbhash"]
    ours, theirs = fields(found.thumbhash), fields(described["thumbhash"])
    assert len(ours) == len(theirs)
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1
    channels = (bytes.fromhex(colour[1:]) for colour in (found.dominant, described["dominant"]))
    assert max(abs(a - b) for a, b in zip(*channels, strict=True)) <= 2


def fields(thumbhash: str) -> list[int]:
    """The numbers that are packed into a ThumbHash without alpha, or with."""
    data = b64decode(thumbhash)
    head, tail = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    unpacked = [head & 63, head >> 6 & 63, head >> 12 & 63, head >> 18 & 31, head >> 23]
    unpacked += [tail & 7, tail >> 3 & 63, tail >> 9 & 63, tail >> 15]
    return unpacked + [nibble for byte in data[5:] for nibble in (byte & 15, byte >> 4)]


def test_copies_are_known_however_they_are_stored(corpus: Path) -> None:
    landscapes = [decode_batch(corpus, f"landscape_{turn}.jpg").perceptual_hash for turn in range(1, 9)]
    assert max(hamming_distance(landscapes[0], other) for other in landscapes) <= 6
    ink = [f"Channel_digital_image_CMYK_color{end}.jpg" for end in ("", "_no_profile")]
    assert hamming_distance(*(decode_batch(corpus, name).perceptual_hash for name in ink)) <= 6
    people = [decode_batch(corpus, f"people/{name}.jpg").perceptual_hash for name in ("portrait", "speaker", "street")]
    assert min(hamming_distance(a, b) for a, b in zip(people, people[1:] + landscapes[:1], strict=True)) >= 18
