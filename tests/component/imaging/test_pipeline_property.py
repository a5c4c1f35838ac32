"""Any plan for any image has the size of its geometry and the requested format."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darkroom.errors import BadOption
from darkroom.findings import Region
from darkroom.imaging.formats.registry import OUTPUT_FORMATS
from darkroom.imaging.render.pipeline import inspect_source, render
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom.plan.limits import Limits
from darkroom.plan.model import (
    COMPASS_POINTS,
    Convolution,
    Crop,
    CropTo,
    Ellipse,
    Extension,
    FaceCrop,
    Focus,
    Gravity,
    Offset,
    Padding,
    Plan,
    Scale,
    TrimOptions,
    Watermark,
    WatermarkLayout,
)
from tests.images.findings import known
from tests.images.sources import saved

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
    gravity=st.sampled_from(
        [Gravity(name) for name in (*COMPASS_POINTS, "attention", "entropy")] + [Gravity("fp", 0.3, 0.8)]
    ),
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
    format=st.sampled_from(["auto-avif", "auto-webp", "auto-legacy", "jpeg", "png", "webp", "avif", "gif", "tiff"]),
    quality=st.none() | number(1, 100),
)


lengths = st.sampled_from([0.0, 5.0, -7.0, 0.2, -0.3, 500.0])
extended = st.fixed_dictionaries(
    {},
    optional={
        "orient": st.booleans(),
        "inset": st.builds(Padding, *[number(0, 3)] * 4),
        "crop_to": st.builds(
            CropTo,
            st.sampled_from([0.0, 0.5, 40.0]),
            st.sampled_from([0.0, 0.3, 60.0]),
            st.sampled_from([*COMPASS_POINTS, "attention", "fp"]),
            *[st.just(0.3)] * 2,
            *[lengths] * 2,
        ),
        "face_crop": st.just(FaceCrop(0, 3)),
        "face_zoom": st.just(0.7),
        "trim_options": st.builds(
            TrimOptions, st.sampled_from(["", "808080"]), st.just("southeast"), st.sampled_from(["", "h", "hv"])
        ),
        "min_width": number(1, 150),
        "min_height": number(1, 150),
        "scale": st.builds(Scale, *[st.sampled_from([0.3, 1.0, 1.7])] * 2),
        "cover_mode": st.sampled_from(["", "clip", "flex", "uncut"]),
        "adaptive": st.booleans(),
        "offset": st.builds(Offset, lengths, lengths),
        "focus": st.builds(Focus, number(0, 150), number(0, 150)),
        "extension": st.builds(
            Extension, st.sampled_from(["box", "ratio"]), st.sampled_from(COMPASS_POINTS), lengths, lengths
        ),
        "angle": st.sampled_from([0.5, 45.0, 200.25]),
        "red_eye": st.just(True),
        "median": number(0, 7),
        "normalise": st.sampled_from(["stretch", "equal"]),
        "curves": st.just((((0, 30), (100, 200), (255, 220)), (), ((0, 255), (255, 0)), ())),
        "matrix": st.just((0.5, 0.5, 0.0, 0.1, 0.0, 1.0, 0.0, 0.0, 0.2, 0.3, 0.5, -0.1)),
        "threshold": number(1, 255),
        "convolution": st.sampled_from(
            [Convolution(3, True, (1.0,) * 9), Convolution(5, False, (-1.0, 0.0, 3.0, 0.0, -1.0))]
        ),
        "pixelate": number(0, 40),
        "noise": number(1, 100),
        "watermark_layout": st.builds(
            WatermarkLayout, lengths, lengths, st.booleans(), *[st.sampled_from([0.0, 0.01, 0.6])] * 2
        ),
        "nine_patch": st.just(True),
        "radius_y": number(1, 60),
        "ellipse": st.builds(Ellipse, *[number(0, 30)] * 4),
        "background_fill": st.sampled_from(["blur", "auto"]),
        "max_bytes": st.sampled_from([100, 2000]),
        "baseline": st.just(True),
    },
)
FACE = known(Region(0.2, 0.3, 0.3, 0.3))


@given(plans, extended, st.sampled_from(KINDS), number(1, 130), number(1, 130), number(1, 8), number(1, 3))
def test_any_extended_plan_for_any_image(
    plan: Plan, fields: dict[str, Any], kind: str, width: int, height: int, orientation: int, frames: int
) -> None:
    plan = replace(plan, **fields)
    if plan.nine_patch and plan.watermark is None:
        plan = replace(plan, watermark=Watermark("m"))
    body = source(kind, width, height, orientation, frames)
    try:
        size = inspect_source(plan, Source.from_bytes(body), Limits(), FACE)[1].size
    except BadOption:
        return
    padding = plan.padding
    rendered = render(plan, Source.from_bytes(body), limits=Limits(), watermark=MARK, findings=FACE)
    image = Image.open(io.BytesIO(rendered.body))
    image.load()
    assert image.size == (rendered.width, rendered.height)
    assert plan.trim or image.size == (
        size.width + padding.left + padding.right,
        size.height + padding.top + padding.bottom,
    )
    assert rendered.content_type == Image.MIME[str(image.format)]
    assert image.getexif().get(0x0112, 1) == 1


@given(plans, st.sampled_from(KINDS), number(1, 130), number(1, 130), number(1, 8), number(1, 3))
def test_any_plan_for_any_image(plan: Plan, kind: str, width: int, height: int, orientation: int, frames: int) -> None:
    body = source(kind, width, height, orientation, frames)
    seen_orientation = orientation if kind.split(maxsplit=1)[0] in ("JPEG", "PNG", "WEBP") else 1
    stored = Size(*Image.open(io.BytesIO(body)).size)
    try:
        size = compute_geometry(plan, stored, seen_orientation).size
    except BadOption:
        return
    rendered = render(plan, Source.from_bytes(body), limits=Limits(), watermark=MARK)
    image = Image.open(io.BytesIO(rendered.body))
    image.load()
    padding = plan.padding
    assert image.size == (rendered.width, rendered.height)
    assert plan.trim or image.size == (
        size.width + padding.left + padding.right,
        size.height + padding.top + padding.bottom,
    )
    assert rendered.content_type == Image.MIME[str(image.format)]
    if plan.format in OUTPUT_FORMATS:
        assert rendered.content_type == OUTPUT_FORMATS[plan.format].content_type
    assert image.getexif().get(0x0112, 1) == 1
