"""Input and output formats: every source to every format, and the result of each class of ``f=auto``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import pyvips
from PIL import Image

import darkroom
from darkroom.errors import BadOption
from darkroom.imaging.formats import encode as encode_module
from darkroom.imaging.formats.encode import (
    EncodableImage,
    choose_encoder_options,
    choose_search_options,
    encode,
    list_alternatives,
    map_quality,
)
from darkroom.imaging.formats.image_format import Effort
from darkroom.imaging.formats.registry import AVIF_MAX_PIXELS, OUTPUT_FORMATS, TARGET_FORMATS
from darkroom.plan.model import AUTO_CLASSES, IMAGE_FORMATS
from tests.images.rendering import alike, apart, made, opened, rgba, seen
from tests.images.sources import SIZE, SVG, cutout, photo, saved, sources

PILLOW_NAMES = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF"}
LEAST_LIKENESS = {"jpeg": 0.90, "png": 0.95, "webp": 0.90, "avif": 0.86, "gif": 0.75}
"""SSIM at half size and default quality; a palette of 256 colours has dither."""
ALLOWANCES = {"png palette": 0.15, "jpeg cmyk": 0.05, "tiff cmyk": 0.05, "svg": 0.05}
"""For sources of few colours, for Pillow's CMYK without a profile, and for a drawing's hard edges."""

TRANSPARENT = ("png alpha", "png grey alpha", "webp alpha", "avif alpha", "svg")


@pytest.mark.sample(15)
@pytest.mark.parametrize("form", IMAGE_FORMATS)
@pytest.mark.parametrize("kind", sources())
def test_every_source_to_every_format(kind: str, form: str) -> None:
    source = sources()[kind]
    rendered = made(source, width=160, format=form)
    image = opened(rendered.body)
    assert (image.format, image.size) == (PILLOW_NAMES[form], (160, 120))
    assert (rendered.content_type, rendered.width, rendered.height, rendered.frames) == (f"image/{form}", 160, 120, 1)
    assert not image.getexif()
    assert "icc_profile" not in image.info
    assert alike(seen(rendered.body), wanted(kind)) > LEAST_LIKENESS[form] - ALLOWANCES.get(kind, 0)


def wanted(kind: str) -> np.ndarray:
    """The source at half size over white, by Pillow."""
    if kind == "svg":
        return seen(made(SVG, width=160).body)
    clear = cutout() if kind in TRANSPARENT else photo().convert("RGBA")
    grey = clear.convert("LA").convert("RGBA") if "grey" in kind else clear
    small = grey.resize((160, 120), Image.Resampling.LANCZOS)
    return np.asarray(Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB"))


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", TRANSPARENT)
@pytest.mark.parametrize("form", ["png", "webp", "avif", "gif"])
def test_transparency_comes_through(kind: str, form: str) -> None:
    alpha = rgba(made(sources()[kind], width=160, format=form).body)[..., 3]
    assert alpha[2, 2] <= 2
    assert alpha[60, 120] >= 253


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_jpeg_puts_transparency_on_white_or_on_bg(kind: str) -> None:
    source = sources()[kind]
    assert seen(made(source, format="jpeg").body)[4, 4].min() > 250
    assert (
        apart(seen(made(source, format="jpeg", background="20a040").body)[:4, :4], np.full((4, 4, 3), (32, 160, 64)))
        < 4
    )


CLASSES = {
    "auto-avif": ("avif", "avif", "webp"),
    "auto-webp": ("webp", "webp", "webp"),
    "auto-legacy": ("jpeg", "png", "gif"),
    "auto": ("jpeg", "png", "gif"),
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", [*AUTO_CLASSES, "auto"])
def test_the_type_of_a_class_depends_on_the_image(name: str) -> None:
    still, transparent, animated = CLASSES[name]
    moving = saved(photo(), "GIF", save_all=True, append_images=[photo().rotate(90)], duration=100)
    assert made(sources()["jpeg"], format=name).content_type == f"image/{still}"
    assert made(sources()["avif alpha"], format=name).content_type == f"image/{transparent}"
    assert made(moving, format=name).content_type == f"image/{animated}"
    assert made(moving, format=name, animate=False).content_type == f"image/{still}"


def test_an_alpha_that_hides_nothing_does_not_count() -> None:
    opaque = saved(photo().convert("RGBA"), "PNG")
    image = made(opaque, format="auto-legacy", width=100)
    assert image.content_type == "image/jpeg"
    assert opened(made(opaque, format="webp", width=100).body).mode == "RGB"


def test_the_avif_class_gives_webp_for_many_pixels() -> None:
    target = TARGET_FORMATS["auto-avif"]
    assert target.choose(transparent=False, frames=1, pixels=AVIF_MAX_PIXELS).name == "avif"
    assert target.choose(transparent=True, frames=1, pixels=AVIF_MAX_PIXELS + 1).name == "webp"
    assert TARGET_FORMATS["avif"].choose(transparent=False, frames=1, pixels=AVIF_MAX_PIXELS + 1).name == "avif"


def test_drawings_stay_sharp() -> None:
    """A class takes the lossless type for a drawing where that is smaller."""
    drawing = saved(Image.open(io.BytesIO(made(SVG).body)).convert("RGB"), "PNG")
    for name, form in (("auto-avif", "webp"), ("auto-webp", "webp"), ("auto-legacy", "png")):
        image = made(drawing, format=name)
        assert image.content_type == f"image/{form}"
        assert apart(seen(image.body), seen(drawing)) == 0
    assert made(sources()["png"], format="auto-legacy").content_type == "image/jpeg"


def test_quality_is_one_scale() -> None:
    sizes = {
        form: [len(made(sources()["png"], format=form, quality=q).body) for q in (20, 50, 80, 95)] for form in LOSSY
    }
    assert all(series == sorted(series) for series in sizes.values())
    likeness = {form: alike(seen(made(sources()["png"], format=form).body), np.asarray(photo())) for form in LOSSY}
    assert max(likeness.values()) - min(likeness.values()) < 0.06, likeness
    assert [map_quality(OUTPUT_FORMATS["avif"], q) for q in (1, 40, 80, 90, 100)] == [1, 33, 57, 73, 100]


LOSSY = ("jpeg", "webp", "avif")


@pytest.mark.parametrize("pace", get_args(Effort.__value__))
def test_effort_falls_as_pixels_grow(pace: Effort) -> None:
    for form, output in OUTPUT_FORMATS.items():
        rows = getattr(output.encoder, pace) or output.encoder.fast
        limits = [limit for limit, _ in rows]
        assert limits == sorted(limits)
        assert choose_encoder_options(form, 1, pace) == rows[0][1]
        assert choose_encoder_options(form, 10**12, pace) == rows[-1][1]
        levels = [options["effort"] for _, options in rows if "effort" in options]
        assert levels == sorted(levels, reverse=True)
        assert len(levels) == (len(rows) if form in ("webp", "avif", "gif") else 0)


@pytest.mark.sample(3)
@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_slow_effort_needs_no_more_bytes(form: str) -> None:
    """At one quality: of equal bytes too, all of a JPEG's are used for more."""
    sheet = EncodableImage.from_frames([pyvips.Image.new_from_array(np.asarray(photo()))], [], 0)
    quick, thorough = (encode(sheet, OUTPUT_FORMATS[form], 80, pace) for pace in ("fast", "slow"))
    assert len(thorough) < len(quick)


def test_a_lossless_image_is_the_smallest_candidate() -> None:
    sheet = EncodableImage.from_frames([pyvips.Image.new_from_array(np.asarray(photo()))], [], 0)
    filters = [str(knobs["filter"]) for knobs in list_alternatives("png", "slow")]
    sizes = {name: len(sheet.image.pngsave_buffer(keep="none", compression=9, filter=name)) for name in filters}
    assert len(set(sizes.values())) > 1
    assert len(encode(sheet, OUTPUT_FORMATS["png"], None, "slow")) == min(sizes.values())


@pytest.mark.sample(2)
@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "gif"])
def test_same_format_and_size_is_never_larger(form: str) -> None:
    small = {
        "jpeg": saved(photo(), "JPEG", quality=35),
        "png": saved(photo().quantize(16), "PNG", optimize=True),
        "webp": saved(photo(), "WEBP", quality=20, method=6),
        "gif": saved(photo().quantize(16), "GIF", optimize=True),
    }[form]
    image = made(small, format=form)
    assert len(image.body) <= len(small)
    assert apart(seen(image.body), seen(small)) == 0


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_not_even_when_pixels_had_to_change(form: str) -> None:
    small = saved(photo(), PILLOW_NAMES[form], quality=30)
    image = made(small, format=form, grayscale=True, sharpen=3.0, quality=100)
    assert len(image.body) <= len(small)
    assert opened(image.body).size == SIZE


def test_a_large_source_gets_the_requested_quality() -> None:
    large = saved(photo(), "JPEG", quality=100, subsampling=0)
    assert len(made(large, format="jpeg").body) < len(large) / 2


def test_pages_of_a_document() -> None:
    pages = [Image.new("RGB", (60, 40), colour) for colour in ("red", "lime", "blue")]
    tiff = saved(pages[0], "TIFF", save_all=True, append_images=[pages[1], Image.new("RGB", (30, 80), "blue")])
    assert seen(made(tiff).body)[20, 20].tolist() == [255, 0, 0]
    assert seen(made(tiff, page=1).body)[20, 20].tolist() == [0, 255, 0]
    assert opened(made(tiff, page=2).body).size == (30, 80)
    with pytest.raises(BadOption, match="from 0 to 2") as refusal:
        made(tiff, page=3)
    assert refusal.value.option == "page"
    with pytest.raises(BadOption):
        made(sources()["jpeg"], page=1)


def test_svg_is_drawn_at_the_requested_size() -> None:
    small, large = made(SVG, width=40), made(SVG, width=1280, upscale=True)
    assert (small.width, large.width, made(SVG, width=1280).width) == (40, 1280, 320)
    edge = rgba(large.body)[480, :, 0].astype(int)
    assert np.count_nonzero(np.abs(np.diff(edge[:700])) > 2) <= 2, "an enlarged bitmap has soft edges"


def test_formats_hold_what_is_too_wide_for_them() -> None:
    wide = saved(Image.new("L", (20_000, 40), 90), "PNG")
    assert [made(wide, format=form).width for form in ("webp", "avif", "jpeg", "png")] == [
        16_383,
        16_384,
        20_000,
        20_000,
    ]


@pytest.mark.parametrize(("quality", "own", "table"), [(40, 35, 5), (80, 78, 5), (88, 87, 5), (89, 89, 0), (95, 95, 0)])
def test_the_quantisation_table_of_a_jpeg_goes_by_its_quality(quality: int, own: int, table: int) -> None:
    wanted = pyvips.Image.black(8, 8).jpegsave_buffer(Q=own, quant_table=table)
    body = made(saved(photo(), "PNG"), format="jpeg", quality=quality).body
    tables = [opened(data).quantization[0] for data in (body, wanted)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("pace", get_args(Effort.__value__))
def test_a_jpeg_of_automatic_quality_has_the_same_table(pace: Effort) -> None:
    assert choose_search_options("jpeg", 76_800, pace, drawing=False)["quant_table"] == 5


@pytest.mark.parametrize(("detail", "wanted"), [(1, 3), (20, 2)])
@pytest.mark.parametrize("peak", [255, 65_535])
def test_avif_tries_harder_where_there_is_little_detail(
    detail: int, wanted: int, peak: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_knobs: list[dict[str, object]] = []
    monkeypatch.setattr(encode_module, "_save", lambda _sheet, _form, knobs: seen_knobs.append(knobs) or b"")
    levels = np.random.default_rng(1).integers(0, detail + 1, (60, 80, 3)) * (peak // 255)
    image = pyvips.Image.new_from_array(levels.astype(np.uint8 if peak == 255 else np.uint16))
    sheet = EncodableImage(image.copy(interpretation="srgb" if peak == 255 else "rgb16"), 1)
    for pace in ("fast", "slow"):
        encode(sheet, OUTPUT_FORMATS["avif"], None, pace)
    assert [knobs["effort"] for knobs in seen_knobs] == [wanted, 4]
    assert all(knobs["subsample_mode"] == "off" for knobs in seen_knobs)


@pytest.mark.parametrize(
    ("size", "detail", "efforts"),
    [
        ((500, 500), 1, [4, 4, 6]),
        ((500, 500), 20, [2, 4, 6]),
        ((400, 400), 20, [4, 4, 6]),
        ((1000, 700), 1, [2, 4, 6]),
        ((1500, 1200), 1, [2, 2, 6]),
    ],
)
def test_webp_tries_harder_where_it_takes_no_longer(
    size: tuple[int, int], detail: int, efforts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs: list[dict[str, object]] = []
    monkeypatch.setattr(encode_module, "_save", lambda _sheet, _form, options: knobs.append(options) or b"")
    levels = np.random.default_rng(1).integers(0, detail + 1, (*size, 3)).astype(np.uint8)
    sheet = EncodableImage(pyvips.Image.new_from_array(levels).copy(interpretation="srgb"), 1)
    for pace in get_args(Effort.__value__):
        encode(sheet, OUTPUT_FORMATS["webp"], None, pace)
    assert [options["effort"] for options in knobs] == efforts


def test_a_format_is_named_in_few_files() -> None:
    """Its package, both registries, presets, and dialects with options or documents for it."""
    layer = Path(next(iter(darkroom.__path__)))
    files = [path for path in layer.rglob("*") if path.suffix in (".py", ".toml")]
    named = [str(path) for path in files if "webp" in path.read_text(encoding="utf-8").lower()]
    assert len(files) > 100
    assert len(named) <= 12, named
