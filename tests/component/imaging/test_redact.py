"""Redaction: images that differ only under the covers become the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.errors import BadOption, FindingsPending, Unanalysable
from darkroom.findings import OBJECTS, DetectedObject, Finding, Findings, Region, TextLine
from darkroom.imaging.render.steps import redact
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Gravity, Padding, Plan, Watermark
from darkroom_pipeline.imaging.render_many import decode_once
from tests.images.drawn import with_exif
from tests.images.findings import known
from tests.images.rendering import frames, made, opened, rgba, seen
from tests.images.sources import photo, saved

from .test_gainmap import gain_map, ultra_hdr

pytestmark = pytest.mark.never_skips

FACE = Region(0.35, 0.3, 0.2, 0.3)
WIDER = Region(0.28, 0.18, 0.34, 0.5)
"""An object that covers the same area."""

HIDDEN = (96, 48, 192, 160)
"""Left, top, right, bottom of the area under the face's cover in 320×240, in whole blocks of a JPEG."""

LINE = TextLine(((0.2, 0.4), (0.75, 0.55), (0.72, 0.7), (0.17, 0.55)), "words", 0.9)
LINE_HIDDEN = (96, 112, 192, 144)


def twins(box: tuple[int, int, int, int] = HIDDEN, mode: str = "RGB") -> tuple[Image.Image, Image.Image]:
    """The photograph, and the same with noise in ``box``."""
    plain = photo().convert(mode)
    left, top, right, bottom = box
    noise = np.asarray(plain).copy()
    shape = noise[top:bottom, left:right].shape
    noise[top:bottom, left:right] = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    return plain, Image.fromarray(noise, mode)


def tell_apart(save: Callable[[Image.Image], bytes], *, mode: str = "RGB", **options: Any) -> bool:
    """Whether the twins' images differ."""
    one, other = (made(save(twin), known=known(FACE), redact="faces", **options).body for twin in twins(mode=mode))
    return one != other


def png(image: Image.Image) -> bytes:
    return saved(image, "PNG")


def jpeg(image: Image.Image, **options: Any) -> bytes:
    return saved(image, "JPEG", quality=90, subsampling=2, **options)


PLANS: dict[str, dict[str, Any]] = {
    "whole": {},
    "small": {"width": 100},
    "tiny": {"width": 13},
    "enlarged": {"width": 900, "upscale": True},
    "onto the face": {"crop": Crop("pct", 30, 20, 30, 40), "width": 640, "upscale": True},
    "into the face": {"crop": Crop("px", 100, 60, 60, 60)},
    "an edge of the face": {"crop": Crop("px", 0, 0, 140, 240)},
    "turned": {"rotate": 90, "flip": "h", "width": 160},
    "cover": {"width": 100, "height": 180, "fit": "cover"},
    "the most striking part": {"width": 100, "height": 180, "fit": "cover", "gravity": Gravity("attention")},
    "the busiest part": {"width": 100, "height": 180, "fit": "cover", "gravity": Gravity("entropy")},
    "the face": {"width": 100, "height": 180, "fit": "cover", "gravity": Gravity("face")},
    "fill": {"width": 100, "height": 180, "fit": "fill"},
    "trim": {"trim": 200, "width": 200},
    "blur": {"blur": 80.0},
    "sharpen": {"sharpen": 8.0},
    "denoise": {"denoise": 10},
    "equalise": {"equalise": True},
    "tones": {"brightness": 90, "contrast": -80, "gamma": 4.0, "saturation": 50},
    "grey": {"grayscale": True},
    "margins": {"padding": Padding(9, 9, 9, 9), "radius": 40, "background": "00ff0080"},
    "watermark": {"watermark": Watermark("logo", "center", 30, 90)},
}


@pytest.mark.sample(5)
@pytest.mark.parametrize("options", PLANS.values(), ids=PLANS)
def test_nothing_of_what_is_covered_reaches_the_image(options: dict[str, Any]) -> None:
    assert not tell_apart(png, mark=png(photo().resize((40, 30))), **options)


@pytest.mark.sample(5)
@pytest.mark.parametrize("form", ["jpeg", "webp", "avif", "gif", "auto-webp", "auto-avif", "auto-legacy"])
@pytest.mark.parametrize("width", [320, 90])
def test_nor_through_any_encoder(form: str, width: int) -> None:
    assert not tell_apart(png, format=form, width=width)


FIXED_PALETTE = Image.new("P", (1, 1))
FIXED_PALETTE.putpalette([value for index in range(256) for value in (index, index ^ 85, 255 - index)])


def sixteen(image: Image.Image) -> bytes:
    fine = np.asarray(image).astype(np.uint16) * 257
    body: bytes = pyvips.Image.new_from_array(fine).copy(interpretation="rgb16").pngsave_buffer()
    return body


def lab(image: Image.Image) -> bytes:
    body: bytes = pyvips.Image.new_from_array(np.asarray(image)).colourspace("lab").tiffsave_buffer()
    return body


SAVERS: dict[str, tuple[Callable[[Image.Image], bytes], str]] = {
    "16 bits": (sixteen, "RGB"),
    "grey": (png, "L"),
    "transparent": (png, "RGBA"),
    "WebP": (lambda image: saved(image, "WEBP", lossless=True), "RGB"),
    "GIF": (lambda image: saved(image.quantize(palette=FIXED_PALETTE, dither=Image.Dither.NONE), "GIF"), "RGB"),
    "TIFF": (lambda image: saved(image, "TIFF"), "RGB"),
    "CMYK": (lambda image: saved(image, "TIFF"), "CMYK"),
    "Lab": (lab, "RGB"),
    "JPEG": (jpeg, "RGB"),
    "progressive": (lambda image: jpeg(image, progressive=True), "RGB"),
}


@pytest.mark.sample(15)
@pytest.mark.parametrize("width", [320, 150, 70, 30])
@pytest.mark.parametrize(("save", "mode"), SAVERS.values(), ids=SAVERS)
def test_nor_from_any_kind_of_source(save: Callable[[Image.Image], bytes], mode: str, width: int) -> None:
    assert not tell_apart(save, mode=mode, width=width)
    body = made(save(twins(mode=mode)[0]), known=known(FACE), redact="faces", width=width).body
    pixels = rgba(body)
    middle = pixels[round(pixels.shape[0] * 0.45), round(pixels.shape[1] * 0.45)]
    assert middle.tolist() == [0, 0, 0, 255]


@pytest.mark.sample(3)
@pytest.mark.parametrize("width", [240, 60])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_nor_from_an_image_that_is_stored_turned(orientation: int, width: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }

    def stored(image: Image.Image) -> bytes:
        return with_exif(jpeg(image.transpose(undo[orientation]) if orientation in undo else image), orientation)

    assert not tell_apart(stored, width=width)
    assert not tell_apart(stored, width=width, crop=Crop("pct", 25, 20, 50, 60))


def test_the_twins_differ_where_nothing_is_hidden() -> None:
    one, other = (made(png(twin)).body for twin in twins())
    assert one != other


def test_a_coarse_mask_covers_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "MASK_CELLS", 500)
    assert not tell_apart(png)
    assert not tell_apart(png, crop=Crop("px", 33, 17, 250, 200), rotate=270)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "options", [PLANS[name] for name in ("whole", "small", "turned", "blur", "an edge of the face")]
)
def test_text_that_lies_askew_does_not_get_out(options: dict[str, Any]) -> None:
    one, other = (
        made(png(twin), known=known(lines=(LINE,)), redact="text", **options).body for twin in twins(LINE_HIDDEN)
    )
    assert one == other


@pytest.mark.sample(5)
@pytest.mark.parametrize("redact", ["car", "car-faces", "all-car"])
@pytest.mark.parametrize("options", [{}, {"width": 100}, {"format": "webp", "blur": 8.0}])
def test_objects_do_not_get_out(redact: str, options: dict[str, Any]) -> None:
    car, dog = (DetectedObject(name, box, 0.9) for name, box in (("car", WIDER), ("dog", Region(0.8, 0.8, 0.1, 0.1))))
    seen = Finding(OBJECTS, "m", "1", objects=(car, dog), classes=("car", "dog"))
    found = replace(known(), found={**known().found, OBJECTS: seen})
    one, other = (made(png(twin), known=found, redact=redact, **options).body for twin in twins())
    assert one == other
    plain, noisy = (made(png(twin), known=found, redact="dog", **options).body for twin in twins())
    assert plain != noisy


def test_only_the_requested_areas_are_redacted() -> None:
    source, found = (
        png(photo()),
        known(FACE, lines=(TextLine(((0.7, 0.8), (0.9, 0.8), (0.9, 0.9), (0.7, 0.9)), "a", 1.0),)),
    )
    face, text = (int(0.45 * 240), int(0.45 * 320)), (int(0.85 * 240), int(0.8 * 320))
    for wanted, hidden in {"faces": (True, False), "text": (False, True), "all": (True, True)}.items():
        pixels = seen(made(source, known=found, redact=wanted).body)
        assert tuple(bool((pixels[place] == 0).all()) for place in (face, text)) == hidden


def test_what_is_not_covered_stays_as_it_is() -> None:
    plain, hidden = seen(made(png(photo())).body), seen(made(png(photo()), known=known(FACE), redact="faces").body)
    differs = np.argwhere((plain != hidden).any(axis=2))
    (top, left), (bottom, right) = differs.min(axis=0), differs.max(axis=0)
    assert (left, right) == (89, 198), "from 92.8 to 195.2, and 3 px beyond"
    assert (top, bottom) == (33, 182), "from 36 to 180, and 3 px beyond"


def test_a_face_at_the_edge_is_covered_up_to_it() -> None:
    pixels = seen(made(png(photo()), known=known(Region(-0.05, -0.05, 0.2, 0.2)), redact="faces").body)
    assert (pixels[:30, :40] == 0).all()


@pytest.mark.parametrize("wanted", ["faces", "text", "all"])
def test_without_findings_there_is_no_image(wanted: str) -> None:
    with pytest.raises(FindingsPending):
        made(png(photo()), redact=wanted)
    with pytest.raises(FindingsPending):
        made(png(photo()), known=Findings("1", "etag"), redact=wanted)


def test_nor_of_an_image_that_no_model_can_read() -> None:
    with pytest.raises(Unanalysable):
        made(png(photo()), known=known(faces="unreadable"), redact="faces")


def test_nor_of_another_page() -> None:
    pages = saved(photo(), "TIFF", save_all=True, append_images=[photo()])
    with pytest.raises(BadOption):
        made(pages, known=known(FACE), redact="faces", page=1)


@pytest.mark.slow
def test_an_animation_stands_still_when_it_is_redacted() -> None:
    gif = saved(photo(), "GIF", save_all=True, append_images=[photo().rotate(180)], duration=100)
    assert len(frames(made(gif, format="gif").body)) == 2
    body = made(gif, format="gif", known=known(FACE), redact="faces").body
    assert len(frames(body)) == 1
    assert len(frames(made(gif, format="gif", known=known(), redact="faces").body)) == 1


def test_no_gain_map_goes_along() -> None:
    source = ultra_hdr()
    options: dict[str, Any] = {"format": "jpeg", "width": 200}
    assert gain_map(made(source, **options).body)
    with pytest.raises(AssertionError):
        gain_map(made(source, known=known(FACE), redact="faces", **options).body)


def test_the_source_is_served_only_without_redaction() -> None:
    plain = jpeg(photo())
    body = made(plain, format="jpeg", known=known(FACE), redact="faces", quality=100).body
    assert seen(body)[108, 144].max() < 12
    assert (
        made(plain, format="jpeg", known=known(), redact="faces", quality=100).body
        == made(plain, format="jpeg", quality=100).body
    )


def test_no_thumbnail_goes_out() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    source = saved(photo(), "JPEG", quality=90, exif=exif)
    image = opened(made(source, format="jpeg", known=known(FACE), redact="faces").body)
    assert not image.getexif()
    assert "exif" not in image.info


def test_ingest_renders_no_redacted_preset() -> None:
    plans = [Plan("k", width=100, format="png"), Plan("k", width=100, format="png", redact="faces")]
    images = decode_once(Source.from_bytes(png(photo())), plans, limits=Limits()).render_all()
    assert next(images)[0] == plans[0]
    with pytest.raises(FindingsPending):
        next(images)
