"""Render all presets of a source from one decode, each equal to a single render."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageDraw

from darkroom.errors import DarkroomError, OverLimits, TypeNotAllowed
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.source import Patch, Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Gravity, Plan, Watermark
from darkroom_pipeline.imaging.render_many import BatchRender, decode_once
from tests.images.drawn import exif_block, tiff
from tests.images.photographs import photograph
from tests.images.rendering import Pixels, alike, apart, durations_ms, frames, made, rgba, seen
from tests.images.sources import cutout, saved, sources

LEAST_SSIM = 0.985
MOST_LEVELS = 1.2

ATTENTION = {"height": 64, "fit": "cover", "gravity": Gravity("attention")}
LADDER = ({"width": 250}, {"width": 160}, {"width": 120}, {"width": 80}, {"width": 64} | ATTENTION)


class CountedSource(Source):
    """A source that counts how often libvips begins to read it."""

    __slots__ = ("decodes",)

    @classmethod
    def watching(cls, data: bytes) -> CountedSource:
        source = cls(data, None, len(data))
        source.decodes = 0
        return source

    def open_vips(self, *, whole: bool = False, patches: Sequence[Patch] = ()) -> Any:
        self.decodes += 1
        return super().open_vips(whole=whole, patches=patches)


def plan(**options: Any) -> Plan:
    return Plan("photo", **({"format": "png"} | options))


def decode_batch(data: bytes, *plans: Plan, **options: Any) -> BatchRender:
    return decode_once(Source.from_bytes(data), plans, limits=Limits(), **options)


def series(data: bytes, *options: dict[str, Any], form: str = "png") -> list[tuple[dict[str, Any], RenderedImage]]:
    """Render plans of ``options`` together, and return the images with their sources."""
    wanted = [{"format": form} | each for each in options]
    found = dict(decode_batch(data, *(plan(**each) for each in wanted)).render_all())
    assert len(found) == len(wanted)
    return [(each, found[plan(**each)]) for each in wanted]


def facts(image: RenderedImage) -> tuple[str, int, int, int]:
    return image.content_type, image.width, image.height, image.frames


def assert_same(found: RenderedImage, wanted: RenderedImage) -> None:
    """Equal before any lossy encoder, within half of the tolerance of the goldens."""
    assert facts(found) == facts(wanted)
    if found.body != wanted.body:
        assert alike(seen(found.body), seen(wanted.body)) >= LEAST_SSIM
        assert apart(seen(found.body), seen(wanted.body)) <= MOST_LEVELS
        assert np.abs(rgba(found.body)[..., 3].astype(int) - rgba(wanted.body)[..., 3]).mean() <= MOST_LEVELS


def assert_as_good(found: RenderedImage, wanted: RenderedImage, true: RenderedImage) -> None:
    """As near to the image without loss: two WebPs of nearly the same pixels differ by the encoder's own noise."""
    assert facts(found) == facts(wanted)
    ours, theirs, both = seen(found.body), seen(wanted.body), seen(true.body)
    assert abs(alike(ours, both) - alike(theirs, both)) <= 0.006
    assert abs(apart(ours, both) - apart(theirs, both)) <= 0.3
    assert len(found.body) == pytest.approx(len(wanted.body), rel=0.06)


@pytest.mark.sample(9)
@pytest.mark.parametrize("kind", sources())
def test_each_kind_gives_what_a_render_gives(kind: str) -> None:
    data = sources()[kind]
    for options, image in series(data, *LADDER):
        assert_same(image, made(data, **options))


@pytest.mark.slow
def test_a_series_is_made_in_one_decode() -> None:
    slides = [photograph(), photograph().rotate(5)]
    moving = saved(slides[0], "WEBP", save_all=True, append_images=slides[1:], duration=50)
    for data in (saved(photograph(), "JPEG"), saved(photograph(), "PNG"), moving):
        source = CountedSource.watching(data)
        batch = decode_once(source, [plan(**options, format="webp") for options in LADDER], limits=Limits())
        assert source.decodes == 1
        assert len(dict(batch.render_all())) == len(LADDER)
        assert batch.thumbhash
        assert source.decodes == 1


def test_the_largest_comes_first_and_is_the_renders_own() -> None:
    data = saved(photograph(), "JPEG", quality=95)
    found = list(decode_batch(data, *(plan(**options, format="webp") for options in reversed(LADDER))).render_all())
    assert [image.width for _, image in found] == [250, 160, 120, 80, 64]
    assert found[0][1].body == made(data, width=250, format="webp").body


@pytest.mark.slow
@pytest.mark.parametrize("form", ["webp", "jpeg", "avif", "auto-avif", "auto-webp", "auto-legacy"])
def test_encodes_are_as_near_to_the_image_as_a_renders(form: str) -> None:
    data = saved(photograph(), "JPEG", quality=95)
    for options, image in series(data, *LADDER, form=form):
        assert_as_good(image, made(data, **options), made(data, **options | {"format": "png"}))


@pytest.mark.sample(3)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(orientation: int) -> None:
    image = photograph().crop((0, 60, 512, 400))
    data = saved(image, "JPEG", quality=95, exif=b"Exif\0\0" + exif_block(orientation))
    north = {"width": 90, "height": 40, "fit": "cover", "gravity": Gravity("north")}
    for options, rendered in series(data, *LADDER, north, {"width": 100, "rotate": 90, "flip": "h"}):
        assert_same(rendered, made(data, **options))


@pytest.mark.slow
def test_colours_become_srgb_once() -> None:
    grey = saved(photograph().convert("L"), "JPEG", quality=95)
    ink = saved(photograph().convert("CMYK"), "JPEG", quality=95)
    for data in (grey, ink, wide_gamut("JPEG"), wide_gamut("PNG")):
        for options, image in series(data, {"width": 300}, *LADDER):
            assert_same(image, made(data, **options))


@cache
def wide_gamut(form: str) -> bytes:
    """The photograph tagged with a matrix profile in which it is far more colourful."""
    p3: bytes = pyvips.Operation.call("profile_load", "p3")
    return saved(photograph(), form, icc_profile=p3)


@pytest.mark.slow
def test_every_fit_and_effect() -> None:
    data = saved(photograph(), "PNG")
    wanted: list[dict[str, Any]] = [
        {"width": 300},
        {"width": 200, "height": 100, "fit": "letterbox", "background": "ff8800"},
        {"width": 200, "height": 90, "fit": "cover", "gravity": Gravity("fp", 0.8, 0.2)},
        {"width": 90, "height": 150, "fit": "cover", "gravity": Gravity("entropy")},
        {"width": 100, "height": 100, "blur": 2.0, "radius": 30},
        {"width": 100, "grayscale": True, "contrast": 20},
    ]
    for options, image in series(data, *wanted):
        assert_same(image, made(data, **options))


def test_a_drawings_window_is_found_as_a_render_finds_it() -> None:
    """Two like places: the least difference would decide between them."""
    image = Image.new("RGB", (1600, 400), "white")
    for left in (100, 1300):
        ImageDraw.Draw(image).ellipse((left, 100, left + 200, 300), fill="red")
    for data in (saved(image, "PNG"), saved(image, "JPEG", quality=88), saved(cutout().convert("LA"), "PNG")):
        source = CountedSource.watching(data)
        cover, wide = plan(width=64, **ATTENTION), plan(width=300)
        found = dict(decode_once(source, [cover, wide], limits=Limits()).render_all())
        assert_same(found[cover], made(data, width=64, **ATTENTION))
        assert source.decodes == 2


@pytest.mark.slow
@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_animations_play_the_same(form: str) -> None:
    data = moving(form)
    for options, image in series(data, {"width": 150}, {"width": 80}, {"width": 48} | ATTENTION, form="webp"):
        wanted = made(data, **options)
        assert facts(image) == facts(wanted)
        assert image.frames == 5
        assert durations_ms(image.body) == durations_ms(wanted.body)
        for page, (ours, theirs) in enumerate(zip(frames(image.body), frames(wanted.body), strict=True)):
            if "gravity" not in options:
                true = rgba(made(data, **options | {"format": "png", "page": page}).body)
                assert abs(apart(on_white(ours), on_white(true)) - apart(on_white(theirs), on_white(true))) < 1.0
                assert abs(alike(on_white(ours), on_white(true)) - alike(on_white(theirs), on_white(true))) < 0.01
            else:
                assert np.array_equal(ours, theirs), "with so much that is transparent, the source decides"


def on_white(frame: Pixels) -> Pixels:
    image = Image.fromarray(frame)
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


@cache
def moving(form: str) -> bytes:
    """A photograph that slides past a transparent border, in five frames."""
    slides = []
    for index in range(5):
        frame = Image.new("RGBA", (260, 180), (0, 0, 0, 0))
        frame.paste(photograph().resize((220, 220)).crop((0, 10 * index, 220, 140 + 10 * index)), (20, 20))
        slides.append(frame)
    options = {"quality": 95} if form == "WEBP" else {"disposal": 2}
    return saved(slides[0], form, save_all=True, append_images=slides[1:], duration=[50, 60, 70, 80, 90], **options)


def test_a_small_source_is_rendered_once() -> None:
    """All presets that are larger than the source are one image, and it is that of a render, byte by byte."""
    for kind in ("jpeg", "png alpha", "webp"):
        data = sources()[kind]
        found = series(data, *({"width": width} for width in (320, 640, 1920)), {"width": 300}, form="webp")
        assert found[0][1] is found[1][1] is found[2][1] is not found[3][1]
        for options, image in found:
            assert image.body == made(data, **options).body


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1500, 2), (2, 1500), (900, 31)])
def test_odd_shapes(size: tuple[int, int]) -> None:
    data = saved(photograph().resize(size), "PNG")
    for options, image in series(data, {"width": 1280}, {"width": 640}, {"width": 320}, *LADDER):
        wanted = made(data, **options)
        assert facts(image) == facts(wanted)
        assert apart(seen(image.body), seen(wanted.body)) <= 3.0, "a height of 9 px has no room for three lobes"


ALONE: list[dict[str, Any]] = [
    {"width": 100, "crop": Crop("pct", 10, 10, 50, 50)},
    {"width": 100, "trim": 10},
    {"width": 100, "height": 60, "fit": "fill"},
    {"width": 900, "upscale": True},
    {"format": "json"},
    {"format": "thumbhash"},
    {"width": 240},  # too near to 250 to be made of it
]


@pytest.mark.slow
def test_what_cannot_share_is_rendered_from_the_source() -> None:
    data = saved(photograph(), "PNG")
    found = list(decode_batch(data, *(plan(**options) for options in [*ALONE, *LADDER])).render_all())
    assert [image.width for _, image in found[: len(LADDER)]] == [250, 160, 120, 80, 64]
    assert {wanted for wanted, _ in found[len(LADDER) :]} == {plan(**options) for options in ALONE}
    for options in ALONE:
        assert dict(found)[plan(**options)].body == made(data, **options).body


def test_other_frames_are_rendered_from_the_source() -> None:
    for data in (moving("GIF"), tiff(3)):
        still = {"width": 8, "format": "jpeg"}
        for options, image in series(data, {"width": 8, "page": 2}, still):
            assert image.body == made(data, **options).body


def test_watermarks_are_handed_in_by_name() -> None:
    mark, data = saved(Image.new("RGB", (20, 20), "white"), "PNG"), saved(photograph(), "PNG")
    wanted = [plan(width=width, watermark=Watermark("m", "center", 100, 30)) for width in (250, 100)]
    wanted.append(plan(width=200, trim=5, watermark=Watermark("m")))
    found = dict(decode_batch(data, *wanted, watermarks={"m": mark}).render_all())
    assert seen(found[wanted[1]].body)[50, 50].min() == 255
    assert found[wanted[2]].width == 200
    with pytest.raises(DarkroomError) as fault:
        dict(decode_batch(data, *wanted).render_all())
    assert fault.value.status == 500


def test_images_are_returned_once() -> None:
    batch = decode_batch(saved(photograph(), "PNG"), plan(width=100), plan(width=50, trim=1))
    assert len(list(batch.render_all())) == 2
    assert list(batch.render_all()) == []
    assert batch.perceptual_hash


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(TypeNotAllowed):
        decode_batch(b"%PDF-1.4")
    with pytest.raises(OverLimits):
        decode_once(Source.from_bytes(moving("GIF")), [plan(animate=False)], limits=Limits(max_pixels=260 * 180 * 4))


@pytest.mark.parametrize(
    ("options", "smaller"),
    [({"width": 500}, True), ({"crop": Crop("px", 0, 0, 510, 510)}, True), ({"width": 300}, False)],
)
def test_the_encoder_has_more_effort_than_while_a_client_waits(options: dict[str, Any], *, smaller: bool) -> None:
    data = saved(photograph(), "jpeg")
    [(_, one)] = series(data, options, form="webp")
    alone = made(data, format="webp", **options)
    assert (len(one.body) < len(alone.body)) is smaller
