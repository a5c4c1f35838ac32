"""Any plan for any picture: it has the size that geometry says and the format that was asked for."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from darkroom.errors import BadOption
from darkroom.imaging.formats import FORMS
from darkroom.imaging.render import render
from darkroom.imaging.source import Source
from darkroom.plan.geometry import Size, arrange
from darkroom.plan.limits import Limits
from darkroom.plan.model import COMPASS, Crop, Gravity, Padding, Plan, Watermark
from tests.imaging.sources import saved

MARK = saved(Image.new("RGBA", (30, 20), (255, 0, 0, 120)), "PNG")
KINDS = (
    "JPEG RGB",
    "JPEG L",
    "JPEG CMYK",
    "PNG RGB",
    "PNG RGBA",
    "PNG LA",
    "PNG I;16",
    "WEBP RGBA",
    "GIF RGBA",
    "TIFF RGB",
)


@cache
def source(kind: str, width: int, height: int, orientation: int, frames: int) -> bytes:
    form, mode = kind.split()
    pixels = np.random.default_rng(width * height).integers(
        0, 256, (frames, height // 3 + 1, width // 3 + 1, 4), np.uint8
    )
    drawn = [Image.fromarray(frame).resize((width, height)) for frame in pixels]
    images = [
        Image.fromarray(np.asarray(i.convert("L")).astype(np.uint16) * 257) if ";" in mode else i.convert(mode)
        for i in drawn
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}
    moving = (
        {"save_all": True, "append_images": images[1:], "duration": 70}
        if form in ("GIF", "WEBP") and frames > 1
        else {}
    )
    return saved(images[0], form, **options, **moving)


def number(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


sometimes = st.sampled_from([0, 0, 0, 1])
crops = st.builds(
    lambda x, y, w, h: Crop("pct", x, y, min(w, 100 - x), min(h, 100 - y)), *[number(0, 90)] * 2, *[number(1, 100)] * 2
)
plans = st.builds(
    Plan,
    key=st.just("k"),
    width=st.none() | number(1, 200),
    height=st.none() | number(1, 200),
    upscale=st.booleans(),
    fit=st.sampled_from(["contain", "cover", "fill", "letterbox"]),
    gravity=st.sampled_from([Gravity(name) for name in (*COMPASS, "attention", "entropy")] + [Gravity("fp", 0.3, 0.8)]),
    crop=st.none() | crops,
    rotate=st.sampled_from([0, 90, 180, 270]),
    flip=st.sampled_from(["none", "h"]),
    trim=sometimes.map(lambda n: n * 10),
    padding=st.builds(Padding, *[sometimes.map(lambda n: n * 7)] * 4),
    background=st.sampled_from(["", "336699", "33669980"]),
    radius=sometimes.map(lambda n: n * 9),
    blur=sometimes.map(lambda n: n * 1.5),
    sharpen=sometimes.map(lambda n: n * 1.5),
    denoise=sometimes.map(lambda n: n * 4),
    equalise=sometimes.map(bool),
    brightness=sometimes.map(lambda n: n * 20),
    contrast=sometimes.map(lambda n: n * -20),
    saturation=sometimes.map(lambda n: n * 30),
    gamma=sometimes.map(lambda n: 1 + n),
    grayscale=sometimes.map(bool),
    watermark=st.none() | st.sampled_from([Watermark("m"), Watermark("m", "center", 40, 90)]),
    format=st.sampled_from(["auto-avif", "auto-webp", "auto-legacy", "jpeg", "png", "webp", "avif", "gif"]),
    quality=st.none() | number(1, 100),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans, st.sampled_from(KINDS), number(1, 130), number(1, 130), number(1, 8), number(1, 3))
def test_any_plan_for_any_picture(
    plan: Plan, kind: str, width: int, height: int, orientation: int, frames: int
) -> None:
    body = source(kind, width, height, orientation, frames)
    seen_orientation = orientation if kind.split(maxsplit=1)[0] in ("JPEG", "PNG", "WEBP") else 1
    stored = Size(*Image.open(io.BytesIO(body)).size)
    try:
        size = arrange(plan, stored, seen_orientation).size
    except BadOption:
        return
    picture = render(plan, Source.of(body), limits=Limits(), watermark=MARK)
    image = Image.open(io.BytesIO(picture.body))
    image.load()
    padding = plan.padding
    assert image.size == (picture.width, picture.height)
    assert plan.trim or image.size == (
        size.width + padding.left + padding.right,
        size.height + padding.top + padding.bottom,
    )
    assert picture.content_type == Image.MIME[str(image.format)]
    if plan.format in FORMS:
        assert picture.content_type == FORMS[plan.format].content_type
    assert 0x0112 not in image.getexif()
