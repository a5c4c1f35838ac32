"""Animations: every frame is processed alone, and durations are kept."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darkroom.errors import BadOption, OverLimits
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Gravity, Padding, Watermark
from tests.images.rendering import alike, durations_ms, frames, made, opened, rgba, seen
from tests.images.sources import photo, saved

COLOURS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (220, 220, 30))
DELAYS_MS = [100, 250, 70, 400]
LOOPS = 3
MARK = saved(Image.new("RGBA", (20, 20), (255, 255, 255, 255)), "PNG")


@cache
def moving(form: str = "GIF") -> bytes:
    """Four frames of 120×80: another colour each, with a dot that moves; the rest of it transparent."""
    drawn = []
    for index, colour in enumerate(COLOURS):
        frame = Image.new("RGBA", (120, 80), (0, 0, 0, 0))
        ImageDraw.Draw(frame).rectangle((20, 10, 99, 69), fill=(*colour, 255))
        ImageDraw.Draw(frame).rectangle((30 + index * 15, 30, 39 + index * 15, 49), fill=(0, 0, 0, 255))
        drawn.append(frame)
    options = {"lossless": True} if form == "WEBP" else {"disposal": 2}
    return saved(drawn[0], form, save_all=True, append_images=drawn[1:], duration=DELAYS_MS, loop=LOOPS, **options)


@pytest.mark.parametrize("source", ["GIF", "WEBP"])
@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("auto-avif", "image/webp"),
        ("auto-webp", "image/webp"),
        ("auto-legacy", "image/gif"),
    ],
)
def test_frames_delays_and_loop_come_through(source: str, form: str, content_type: str) -> None:
    image = made(moving(source), format=form, width=60)
    assert (image.content_type, image.frames, image.width, image.height) == (content_type, 4, 60, 40)
    assert durations_ms(image.body) == DELAYS_MS
    assert plays(image.body) == plays(moving(source))
    for frame, colour in zip(frames(image.body), COLOURS, strict=True):
        assert np.abs(frame[30, 15, :3].astype(int) - colour).max() <= 12
        assert frame[2, 2, 3] == 0


def test_drawn_animations_are_lossless_where_that_is_smaller() -> None:
    image = made(moving(), format="auto-webp")
    for ours, theirs in zip(frames(image.body), frames(moving()), strict=True):
        assert np.array_equal(on_white(ours), on_white(theirs))


def plays(body: bytes) -> int:
    """How often an animation plays. A GIF counts repeats, a WebP counts plays."""
    image = opened(body)
    return int(image.info["loop"]) + (image.format == "GIF")


@pytest.mark.parametrize("form", ["jpeg", "png", "avif"])
def test_other_formats_get_the_first_frame(form: str) -> None:
    image = made(moving(), format=form)
    assert (image.frames, image.height) == (1, 80)
    assert np.abs(seen(image.body)[60, 30].astype(int) - COLOURS[0]).max() <= 12


def test_anim_off_and_page_choose_a_frame() -> None:
    assert made(moving(), format="webp", animate=False).frames == 1
    for page, colour in enumerate(COLOURS):
        image = made(moving(), format="webp", page=page, animate=page > 0)
        assert image.frames == 1
        assert np.abs(seen(image.body)[60, 30].astype(int) - colour).max() <= 12
    with pytest.raises(BadOption):
        made(moving(), page=4)


def test_every_frame_is_cut_turned_and_framed_alike() -> None:
    options = {"width": 40, "height": 40, "fit": "cover", "gravity": Gravity("west"), "rotate": 90}
    image = made(moving(), format="webp", padding=Padding(5, 5, 5, 5), background="ffffff", radius=4, **options)
    assert (image.width, image.height, image.frames) == (50, 50, 4)
    still = [
        made(moving(), page=page, padding=Padding(5, 5, 5, 5), background="ffffff", radius=4, animate=False, **options)
        for page in range(4)
    ]
    for frame, alone in zip(frames(image.body), still, strict=True):
        assert alike(frame[..., :3], rgba(alone.body)[..., :3]) > 0.85


def test_frames_do_not_bleed_into_each_other() -> None:
    """The edge of a frame is its own: neighbours in memory are black and white."""
    tall = [Image.new("L", (64, 64), value) for value in (0, 255, 0, 255)]
    source = saved(tall[0], "WEBP", save_all=True, append_images=tall[1:], duration=50, lossless=True)
    for frame, value in zip(frames(made(source, format="gif", width=30, blur=3.0).body), (0, 255, 0, 255), strict=True):
        assert np.abs(frame[..., :3].astype(int) - value).max() <= 2


def test_watermark_and_effects_reach_every_frame() -> None:
    image = made(moving(), format="webp", mark=MARK, watermark=Watermark("m", "center", 100, 20), grayscale=True)
    for frame in frames(image.body):
        assert frame[40, 60, :3].min() > 245
        assert np.ptp(frame[60, 30, :3].astype(int)) <= 6


def test_trim_keeps_what_any_frame_shows() -> None:
    image = made(moving(), format="webp", trim=10)
    assert (image.width, image.height, image.frames) == (80, 60, 4)


def test_attention_chooses_one_window_for_all_frames() -> None:
    drawn = []
    for index in range(3):
        frame = Image.new("RGB", (300, 100), (90, 90, 90))
        frame.paste(photo().resize((100, 75)), (190, 12))
        frame.paste((0, 0, 0), (0, 0, 1 + index, 1))
        drawn.append(frame)
    source = saved(drawn[0], "WEBP", save_all=True, append_images=drawn[1:], duration=80, quality=90)
    kept = frames(made(source, format="webp", width=100, height=100, fit="cover", gravity=Gravity("attention")).body)
    assert kept[0].std() > 30
    assert alike(kept[0][..., :3], kept[-1][..., :3]) > 0.98


def test_crop_is_about_one_frame() -> None:
    image = made(moving(), format="gif", crop=Crop("pct", 50, 50, 50, 50))
    assert (image.width, image.height, image.frames) == (60, 40, 4)


def test_limits_count_every_frame_only_where_every_frame_is_read() -> None:
    limits = Limits(max_pixels=120 * 80 * 3)
    with pytest.raises(OverLimits):
        made(moving(), limits=limits, format="webp")
    assert made(moving(), limits=limits, format="jpeg").frames == 1


def test_corpus_animations(corpus: Path) -> None:
    for name, count, total_ms, loop in (
        ("cogs.gif", 5, None, None),
        ("rotating-squares.gif", 30, 900, 0),
        ("animated-loop-3.webp", 10, 42_000, 3),
        ("big-height.webp", 99, 19_800, 0),
    ):
        source = (corpus / name).read_bytes()
        for form in ("webp", "gif"):
            image = made(source, format=form, width=40)
            assert image.frames == count
            if total_ms:
                assert sum(durations_ms(image.body)) == total_ms, "equal neighbours may be one, for as long"
                assert loop == 0 or plays(image.body) == loop


def test_corpus_disposal(corpus: Path) -> None:
    source = (corpus / "dispose-previous.gif").read_bytes()
    image = made(source, format="webp", quality=100)
    for ours, theirs in zip(frames(image.body), frames(source), strict=True):
        assert alike(on_white(ours), on_white(theirs)) > 0.9


def on_white(frame: np.ndarray) -> np.ndarray:
    image = Image.fromarray(frame)
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))
