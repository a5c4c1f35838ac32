"""``q=auto``: equal visual quality within a bounded number of encodes."""

from __future__ import annotations

import io
import math
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np
import pytest
import pyvips
import skimage
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from bench.quality import decode_pixels
from bench.ssimulacra2 import Original
from darkroom.imaging.formats.encode import (
    TRIAL_MAX_PIXELS,
    EncodableImage,
    choose_search_options,
    encode_with,
    list_trial_options,
)
from darkroom.imaging.formats.image_format import BUSY, FLAT, SMOOTH, Effort, EncoderOptions, Start
from darkroom.imaging.formats.registry import OUTPUT_FORMATS
from darkroom.imaging.quality import auto_quality, ssimulacra2
from darkroom.imaging.quality.auto_quality import (
    MAX_ENCODES,
    MAX_STEP,
    SCORE_TOLERANCE,
    TARGET_SCORE,
    _SampleEncoder,
    classify_content,
    encode_auto,
    find_start,
    sample_tiles,
    search_quality,
)
from darkroom.imaging.quality.search import LOG_BYTES_PER_POINT, MAX_RETRIED_OPTIONS
from darkroom.imaging.quality.ssimulacra2 import Comparator
from tests.images.photographs import jpeg_photo, photograph
from tests.images.rendering import made
from tests.images.sources import cutout, saved

ROCKET = Path(skimage.data.__file__).with_name("rocket.jpg")
LOSSY = ("jpeg", "webp", "avif")


def opened(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(saved(image, "PNG"), "").copy_memory()


def images() -> dict[str, Image.Image]:
    whole = photograph().convert("RGB")
    return {
        "photograph": whole,
        "part": whole.crop((60, 0, 380, 240)),
        "soft": whole.filter(ImageFilter.GaussianBlur(6)),
        "busy": Image.effect_noise((320, 240), 40).convert("RGB"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("form", LOSSY)
@pytest.mark.parametrize("name", images())
def test_images_are_visually_equal(name: str, form: str) -> None:
    image = images()[name]
    choice = encode_auto(EncodableImage(opened(image), 1), OUTPUT_FORMATS[form], "slow")
    score = Original(np.asarray(image)).score(decode_pixels(choice.body))
    assert score == pytest.approx(TARGET_SCORE, abs=2)


@pytest.mark.slow
@pytest.mark.parametrize(("effort", "most"), MAX_ENCODES.items())
@pytest.mark.parametrize("form", LOSSY)
def test_encodes_are_counted(form: str, effort: Effort, most: int) -> None:
    options = len(list_trial_options(form, 1, effort))
    most += options + MAX_RETRIED_OPTIONS + 2 if options else 0
    large = photograph().convert("RGB").resize((1200, 900))
    for image, whole in ((images()["busy"], 0), (large, 1)):
        assert 1 <= encode_auto(EncodableImage(opened(image), 1), OUTPUT_FORMATS[form], effort).encodes <= most + whole


@pytest.mark.slow
def test_slow_effort_tries_options() -> None:
    shares = []
    for image in images().values():
        encodable = EncodableImage(opened(image), 1)
        comparator = Comparator(encodable.image)
        first, later = (encode_auto(encodable, OUTPUT_FORMATS["webp"], effort).body for effort in ("fast", "slow"))
        shares.append(
            len(later)
            / len(first)
            * math.exp(LOG_BYTES_PER_POINT * (comparator.score(first) - comparator.score(later)))
        )
    assert max(shares) < 1.005
    assert fmean(shares) < 0.985


def test_options_that_are_there_already_are_not_tried() -> None:
    encoder = _SampleEncoder(opened(images()["part"]), OUTPUT_FORMATS["webp"], {"effort": 6, "smart_subsample": True})
    tried = [one.encoder_options for one in encoder.with_options([{"smart_subsample": True}, {"smart_deblock": True}])]
    assert tried == [{"effort": 6, "smart_subsample": True, "smart_deblock": True}]


def test_large_images_are_encoded_without_slow_options() -> None:
    assert list_trial_options("webp", TRIAL_MAX_PIXELS, "slow")
    assert not list_trial_options("webp", TRIAL_MAX_PIXELS + 1, "slow")
    assert not list_trial_options("webp", 1, "fast")


@pytest.mark.slow
@pytest.mark.parametrize("form", LOSSY)
def test_colour_that_encoders_halve_is_kept_where_it_shows(form: str) -> None:
    stripes = Image.new("RGB", (320, 240), (0, 200, 220))
    for left in range(0, 320, 6):
        ImageDraw.Draw(stripes).line((left, 0, left + 120, 240), fill=(230, 20, 140), width=2)
    image = Image.blend(stripes, images()["busy"], 0.1)
    choice = encode_auto(EncodableImage(opened(image), 1), OUTPUT_FORMATS[form], "fast")
    halved: EncoderOptions = {"subsample_mode": "on"} if form == "avif" else {}
    encoder_options = choose_search_options(form, 76_800, "fast", drawing=False) | halved
    plain = encode_with(EncodableImage(opened(image), 1), OUTPUT_FORMATS[form], 85, encoder_options)
    original = Original(np.asarray(image))
    assert original.score(decode_pixels(choice.body)) > original.score(decode_pixels(plain)) + 3
    assert choice.encodes <= MAX_ENCODES["fast"]


def test_an_image_too_small_to_compare_is_encoded_once() -> None:
    choice = encode_auto(EncodableImage(opened(Image.new("RGB", (8, 8), "red")), 1), OUTPUT_FORMATS["webp"], "fast")
    assert (choice.quality, choice.encodes) == (80, 1)


def test_what_is_transparent_stays_so() -> None:
    choice = encode_auto(EncodableImage(opened(cutout()), 1), OUTPUT_FORMATS["webp"], "fast")
    with Image.open(io.BytesIO(choice.body)) as image:
        assert image.mode == "RGBA"


@pytest.mark.slow
def test_a_large_image_is_compared_by_a_sample_of_it() -> None:
    noise = Image.effect_noise((1200, 900), 60).convert("RGB")
    noise.paste(photograph().convert("RGB").resize((1200, 450)), (0, 0))
    choice = encode_auto(EncodableImage(opened(noise), 1), OUTPUT_FORMATS["webp"], "slow")
    score = Original(np.asarray(noise)).score(decode_pixels(choice.body))
    assert score == pytest.approx(TARGET_SCORE, abs=2.5)


@pytest.mark.slow
@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    most=st.sampled_from([OUTPUT_FORMATS[name].encoder.sample_pixels for name in LOSSY]),
)
@example(width=60_000, height=20, most=600_000)
@example(width=20, height=60_000, most=600_000)
def test_strips_are_bounded(width: int, height: int, most: int) -> None:
    page = pyvips.Image.black(width, height, bands=3)
    strip = sample_tiles(page, most)
    assert strip.width * strip.height <= most
    assert (strip is page) == (width * height <= most)
    assert strip.width <= width
    assert strip.height <= height


def test_a_strip_is_of_all_parts() -> None:
    columns = pyvips.Image.identity(ushort=True).crop(0, 0, 2000, 1).replicate(1, 2000)
    strip = sample_tiles(columns, 250_000)
    assert (strip.min(), strip.max()) == (0, 1999)


def rising(slope: float, at_50: float) -> Callable[[int], float]:
    return lambda quality: at_50 + slope * (quality - 50)


@given(slope=st.floats(0.4, 1.5), at_50=st.floats(55, 85), start=st.integers(50, 90), usual=st.floats(0.4, 1.2))
def test_a_line_is_met_by_the_third_try(slope: float, at_50: float, start: int, usual: float) -> None:
    score = rising(slope, at_50)
    asked: list[int] = []

    def counted(quality: int) -> float:
        asked.append(quality)
        return score(quality)

    quality = search_quality(Start(start, usual), counted, 4)
    assert len(asked) <= 3
    assert len(set(asked)) == len(asked)
    ideal = 50 + (TARGET_SCORE - at_50) / slope
    if 1 <= ideal <= 100 and abs(start - ideal) <= MAX_STEP / 2:
        assert abs(score(quality) - TARGET_SCORE) <= max(SCORE_TOLERANCE, slope)


@given(scores=st.lists(st.floats(-50, 100), min_size=100, max_size=100), start=st.integers(1, 100))
def test_any_scores_have_a_quality(scores: list[float], start: int) -> None:
    quality = search_quality(Start(start, 0.6), lambda asked: scores[asked - 1], 5)
    assert 1 <= quality <= 100


def test_a_try_that_is_near_enough_ends_the_search() -> None:
    assert search_quality(Start(70, 0.6), lambda _: TARGET_SCORE + SCORE_TOLERANCE, 5) == 70


def test_contents() -> None:
    drawing = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(drawing).rectangle((20, 20, 90, 120), fill="red")
    assert classify_content(opened(drawing)) == FLAT
    assert classify_content(opened(images()["soft"])) == SMOOTH
    assert classify_content(opened(images()["busy"])) == BUSY
    assert classify_content(opened(images()["busy"].convert("L"))) == BUSY


def test_the_search_has_a_start_for_every_image() -> None:
    lossy = [form for form in OUTPUT_FORMATS.values() if not form.lossless]
    for form, content, side in product(lossy, (FLAT, SMOOTH, BUSY), (1, 500, 20_000)):
        start = find_start(form, pyvips.Image.black(side, side), content)
        assert 1 <= start.quality <= 100
        assert start.slope > 0


@pytest.mark.parametrize("form", LOSSY)
def test_a_plan_requests_it(form: str) -> None:
    image = Image.open(io.BytesIO(made(jpeg_photo(), width=320, format="png").body)).convert("RGB")
    body = made(jpeg_photo(), width=320, format=form, quality="auto").body
    assert Original(np.asarray(image)).score(decode_pixels(body)) == pytest.approx(TARGET_SCORE, abs=2)
    assert body != made(jpeg_photo(), width=320, format=form, quality=90).body


def test_an_animation_takes_the_quality_of_its_first_frame() -> None:
    still, second = images()["part"], images()["part"].rotate(180)
    source = saved(still, "WEBP", save_all=True, append_images=[second], duration=100, lossless=True)
    image = made(source, format="webp", width=300, quality="auto")
    assert image.frames == 2


def test_a_drawing_is_lossless_where_that_is_no_larger() -> None:
    drawing = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(drawing).rectangle((20, 20, 90, 120), fill="red")
    rendered = made(saved(drawing, "PNG"), format="webp", quality="auto")
    with Image.open(io.BytesIO(rendered.body)) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(drawing))


def test_an_image_is_no_larger_than_its_source() -> None:
    poor = saved(photograph().convert("RGB"), "JPEG", quality=20)
    assert len(made(poor, format="jpeg", quality="auto", flip="h").body) <= len(poor)


def rocket() -> EncodableImage:
    """Return a photograph for which AVIF qualities of one quantiser are as near to the target as each other."""
    return EncodableImage(pyvips.Image.thumbnail(str(ROCKET), 200).copy_memory(), 1)


@pytest.mark.slow
def test_the_last_digits_of_a_sum_choose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads add up in any order: with scores that differ by 1e-14, a quarter of the answers were other ones."""
    encodable, random = rocket(), Random(3)
    encoded = cache(
        lambda quality, encoder_options: encode_with(encodable, OUTPUT_FORMATS["avif"], quality, dict(encoder_options))
    )
    monkeypatch.setattr(
        auto_quality,
        "encode_with",
        lambda _sheet, _form, quality, encoder_options: encoded(quality, tuple(sorted(encoder_options.items()))),
    )
    exact = ssimulacra2.to_score
    monkeypatch.setattr(ssimulacra2, "to_score", lambda unlike: exact(unlike) + random.choice((-1, 0, 1)) * 1.4e-14)
    assert len({encode_auto(encodable, OUTPUT_FORMATS["avif"], "fast") for _ in range(8)}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", LOSSY)
@pytest.mark.parametrize("effort", MAX_ENCODES)
def test_answers_are_the_same_bytes_under_load(form: str, effort: Effort) -> None:
    """Repeat ``q=auto`` while processes compete for each core."""
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        bodies = {encode_auto(rocket(), OUTPUT_FORMATS[form], effort).body for _ in range(8)}
    finally:
        for process in load:
            process.kill()
            process.wait()
    assert len(bodies) == 1
