"""Mezzanines of one decode, and images rendered from them, which differ little from those of the master."""

from __future__ import annotations

import io
from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageDraw

from bench.images import Recipe, make_photograph
from bench.quality import decode_pixels
from bench.ssimulacra2 import Original
from darkroom.errors import DamagedSource
from darkroom.imaging.formats.image_format import Header
from darkroom.imaging.render.output import MezzanineOf, RenderedImage
from darkroom.imaging.render.pipeline import render, resolve_geometry
from darkroom.imaging.source import Source
from darkroom.plan.geometry.mezzanines import is_mezzanine_sufficient, list_mezzanine_sizes
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Focus, Gravity, Padding, Plan, Watermark
from darkroom_pipeline.imaging.render_many import decode_once
from tests.images.mezzanines import SIZE, large_photo, make_mezzanines
from tests.images.photographs import photograph, turned
from tests.images.rendering import alike, apart, seen
from tests.images.sources import saved

from .test_render_many import CountedSource

MEAN_DROP, WORST_DROP = 0.5, 1.5


def make(**options: Any) -> Plan:
    return Plan("photo", **({"format": "webp"} | options))


def from_master(data: bytes, plan: Plan, **options: Any) -> RenderedImage:
    return render(plan, Source.from_bytes(data), limits=Limits(), **options)


def from_mezzanine(data: bytes, plan: Plan, **options: Any) -> RenderedImage:
    """Render ``plan`` from the smallest mezzanine of ``data`` that suffices."""
    for of, body in make_mezzanines(data).items():
        header = Header.parse(of.master_header)
        geometry = resolve_geometry(plan, header)
        if is_mezzanine_sufficient(geometry, list_mezzanine_sizes(geometry.stored)[of.side_px]):
            return render(plan, Source.from_bytes(body), limits=Limits(), master=header, **options)
    raise AssertionError(plan)


def large(mode: str = "RGB") -> Image.Image:
    return photograph().convert(mode).resize(SIZE)


def drawing() -> bytes:
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).rectangle((300, 300, 900, 900), fill="navy")
    return saved(image, "PNG", compress_level=1)


def sixteen_bits() -> bytes:
    image = pyvips.Image.new_from_buffer(large_photo(), "").cast("ushort") * 257
    body: bytes = image.cast("ushort").copy(interpretation="rgb16").pngsave_buffer(compression=1)
    return body


def display_p3() -> bytes:
    image = pyvips.Image.new_from_buffer(large_photo(), "").icc_transform("p3", input_profile="srgb")
    stretched = (image.cast("float") * 1.2 - 20).cast("uchar").copy()
    body: bytes = stretched.jpegsave_buffer(Q=95, subsample_mode="off")
    return body


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "form"),
    [
        pytest.param(large_photo, "jpeg", id="JPEG"),
        pytest.param(lambda: saved(large(), "PNG", compress_level=1), "png", id="PNG"),
    ],
)
def test_a_large_opaque_photograph_has_two(data: Callable[[], bytes], form: str) -> None:
    found = make_mezzanines(data())
    assert [of.side_px for of in found] == [1280, 1920]
    for of, body in found.items():
        image = Image.open(io.BytesIO(body))
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (of.side_px, of.side_px * 2 // 3))
        assert image.info.get("icc_profile") is None and not image.getexif()
        assert Header.parse(of.master_header) == Header(form, *SIZE)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: saved(large().resize((1900, 1500)), "JPEG"), id="small"),
        pytest.param(lambda: saved(large("RGBA"), "PNG", compress_level=1), id="alpha"),
        pytest.param(sixteen_bits, id="16 bits"),
        pytest.param(drawing, id="drawing"),
        pytest.param(lambda: saved(large("CMYK"), "JPEG"), id="CMYK"),
        pytest.param(lambda: saved(large(), "TIFF"), id="TIFF"),
        pytest.param(lambda: saved(large(), "JPEG", quality=10), id="few bytes"),
        pytest.param(
            lambda: saved(large(), "WEBP", save_all=True, append_images=[large().rotate(180)], method=0), id="animated"
        ),
    ],
)
def test_other_masters_have_none(data: Callable[[], bytes]) -> None:
    assert make_mezzanines(data()) == {}


def test_only_ingest_makes_them() -> None:
    plan = make(width=320)
    batch = decode_once(Source.from_bytes(large_photo()), [plan], limits=Limits())
    assert [made for made, _ in batch.render_all()] == [plan]


@pytest.mark.sample(3)
@pytest.mark.parametrize("widths", [(320,), (320, 1700), (2500,)])
def test_one_decode_makes_presets_and_mezzanines(widths: tuple[int, ...]) -> None:
    """Whatever lies between the sizes of the presets and those of the mezzanines."""
    source = CountedSource.watching(large_photo())
    plans = [make(width=width, format="jpeg") for width in widths]
    found = dict(decode_once(source, plans, limits=Limits(), mezzanines=True).render_all())
    assert source.decodes == 1
    assert {of.side_px for of in found if isinstance(of, MezzanineOf)} == {1280, 1920}
    for plan in plans:
        assert alike(seen(found[plan].body)[::3, ::3], seen(from_master(large_photo(), plan).body)[::3, ::3]) > 0.98


VARIANTS: tuple[dict[str, Any], ...] = (
    *({"width": width, "format": form} for width in (200, 400, 800) for form in ("webp", "jpeg")),
    {"width": 400, "format": "avif"},
)


@pytest.mark.slow
def test_images_from_mezzanines_score_as_well() -> None:
    """Of a photograph with detail in every pixel: the decision had twenty from cameras."""
    photo = make_photograph(Recipe("photo", "coffee", 2400, 1600))
    data, drops = saved(photo, "JPEG", quality=90), []
    for options in VARIANTS:
        plan = make(**options)
        images = [made(data, plan) for made in (from_master, from_mezzanine)]
        size = (images[0].width, images[0].height)
        original = Original(np.asarray(photo.resize(size, Image.Resampling.LANCZOS)))
        scores = [original.score(decode_pixels(one.body)) for one in images]
        drops.append(scores[0] - scores[1])
    assert fmean(drops) <= MEAN_DROP
    assert max(drops) <= WORST_DROP


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    "options",
    [
        {"width": 400, "rotate": 90},
        {"width": 400, "crop": Crop("px", 601, 403, 1777, 1231)},
        {"width": 400, "crop": Crop("pct", 20.01, 10, 60, 70)},
        {"width": 300, "height": 500, "fit": "cover", "gravity": Gravity("fp", 0.9, 0.1)},
        {"width": 300, "height": 500, "fit": "cover", "focus": Focus(2400, 300)},
        {"width": 300, "height": 500, "fit": "fill", "flip": "h"},
        {"width": 300, "height": 500, "fit": "letterbox", "background": "ff0000"},
        {"width": 400, "inset": Padding(100, 200, 300, 400)},
        {"width": 400, "padding": Padding(10, 20, 30, 40), "blur": 2.0},
        {"width": 400, "watermark": Watermark("m", "southeast", 100, 30)},
        {"width": 400, "angle": 20.0, "radius": 30},
    ],
)
def test_coordinates_are_those_of_the_master(options: dict[str, Any]) -> None:
    mark = saved(Image.new("RGB", (60, 40), "lime"), "PNG")
    plan = make(**options, quality=88)
    ours, theirs = (made(large_photo(), plan, watermark=mark) for made in (from_mezzanine, from_master))
    assert (ours.width, ours.height) == (theirs.width, theirs.height)
    assert alike(seen(ours.body), seen(theirs.body)) > 0.96
    assert apart(seen(ours.body), seen(theirs.body)) < 2.5


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [6, 8])
def test_a_turned_master_is_upright(orientation: int) -> None:
    data = turned(large(), orientation)
    (of, body), *_ = make_mezzanines(data).items()
    assert Header.parse(of.master_header).orientation == orientation
    assert Image.open(io.BytesIO(body)).size == (853, 1280), "as it is stored: turning costs less after the resize"
    plan = make(width=400)
    assert alike(seen(from_mezzanine(data, plan).body), seen(from_master(data, plan).body)) > 0.98


@pytest.mark.slow
def test_wide_gamut_masters_have_the_same_colours() -> None:
    data = display_p3()
    plan = make(width=400, quality=88)
    ours, theirs = (seen(made(data, plan).body).astype(int) for made in (from_mezzanine, from_master))
    assert np.abs(ours.mean(axis=(0, 1)) - theirs.mean(axis=(0, 1))).max() < 0.5
    srgb = seen(from_master(large_photo(), plan).body)
    assert apart(theirs.astype(np.uint8), srgb) > 5, "there is something to convert"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body: body[: len(body) // 2], id="cut"),
        pytest.param(lambda body: b"\xff\xd8\xff" + body[200:], id="no header"),
        pytest.param(lambda _: saved(photograph(), "JPEG"), id="too small"),
    ],
)
def test_a_damaged_mezzanine_is_reported(spoil: Callable[[bytes], bytes]) -> None:
    (of, body), *_ = make_mezzanines(large_photo()).items()
    with pytest.raises(DamagedSource):
        render(
            make(width=400),
            Source.from_bytes(spoil(body)),
            limits=Limits(),
            master=Header.parse(of.master_header),
        )
