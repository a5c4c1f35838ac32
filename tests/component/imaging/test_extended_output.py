"""Output options of the dialects: TIFF, a byte limit, baseline JPEG, and unmodified sources."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DamagedSource, FindingsPending
from darkroom.findings import Region
from darkroom.imaging.formats.jpeg.container import iter_segments
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Padding, Plan, Scale
from darkroom_pipeline.imaging.render_many import decode_once
from tests.component.imaging.test_animation import moving
from tests.images.findings import known
from tests.images.planted import XMP, exif
from tests.images.rendering import alike, made, opened, rgba, seen
from tests.images.sources import SIZE, SVG, cutout, photo, saved, sixteen_bit, sources

PHOTO = saved(photo(), "PNG")
_SOF0, _SOF2 = 0xC0, 0xC2


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", sources())
def test_tiff_loses_nothing(kind: str) -> None:
    image, wanted = made(sources()[kind], format="tiff"), made(sources()[kind], format="png")
    assert image.content_type == "image/tiff"
    assert np.array_equal(rgba(image.body), rgba(wanted.body))
    assert opened(image.body).info["compression"] == "tiff_adobe_deflate"


def test_tiff_is_small_clean_and_still() -> None:
    named = saved(photo(), "PNG", exif=exif(), xmp=XMP)
    image = made(named, format="tiff")
    assert b"secret" not in image.body
    assert len(image.body) < 0.8 * 320 * 240 * 3, "predicted"
    assert made(moving(), format="tiff").frames == 1
    assert opened(made(cutout_bytes(), format="tiff", background="336699").body).mode == "RGB"


def cutout_bytes() -> bytes:
    return saved(cutout(), "PNG")


@pytest.mark.sample(12)
@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("quality", [None, 95, "auto"])
def test_quality_goes_down_until_it_fits(form: str, quality: Any) -> None:
    free = made(PHOTO, format=form, quality=quality)
    most = len(free.body) * 2 // 3
    tight = made(PHOTO, format=form, quality=quality, max_bytes=most)
    assert 0.75 * most < len(tight.body) <= most, "not more than it has to"
    assert made(PHOTO, format=form, quality=quality, max_bytes=len(free.body)).body == free.body
    assert alike(seen(tight.body), seen(PHOTO)) > 0.7


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_what_never_fits_is_answered_at_the_least_quality(form: str) -> None:
    assert made(PHOTO, format=form, max_bytes=50).body == made(PHOTO, format=form, quality=10).body
    assert made(PHOTO, format=form, quality=5, max_bytes=50).body == made(PHOTO, format=form, quality=5).body


@pytest.mark.slow
def test_an_animation_and_a_drawing_fit_too() -> None:
    turning = [photo().rotate(angle) for angle in (0, 10, 20)]
    moved = saved(turning[0], "WEBP", save_all=True, append_images=turning[1:], quality=95)
    free = made(moved, format="webp", quality=90)
    most = len(free.body) * 3 // 4
    assert 0.75 * most < len(made(moved, format="webp", quality=90, max_bytes=most).body) <= most
    lossless = made(SVG, format="webp")
    assert made(SVG, format="webp", max_bytes=50).body == lossless.body, "by no quality smaller than without loss"
    assert made(PHOTO, format="png", max_bytes=50).body == made(PHOTO, format="png").body, "nothing to give"


@pytest.mark.parametrize("options", [{}, {"quality": "auto"}, {"quality": 90, "width": 100}])
def test_a_baseline_jpeg_is_not_progressive(options: dict[str, Any]) -> None:
    progressive = saved(photo(), "JPEG", quality=70, progressive=True)
    assert _SOF2 in markers(progressive)
    body = made(progressive, format="jpeg", baseline=True, **options).body
    assert _SOF0 in markers(body)
    assert _SOF2 not in markers(body)


def test_a_baseline_jpeg_of_slow_effort_is_none_either() -> None:
    plan = Plan("k", format="jpeg", baseline=True)
    assert _SOF2 in markers(
        render(Plan("k", format="jpeg"), Source.from_bytes(PHOTO), limits=Limits(), effort="slow").body
    )
    assert _SOF0 in markers(render(plan, Source.from_bytes(PHOTO), limits=Limits(), effort="slow").body)


def markers(jpeg: bytes) -> set[int]:
    return {segment.marker for segment in iter_segments(Source.from_bytes(jpeg).read_at)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def skipping(source: bytes, *words: str, checked: bool = True, **options: Any) -> RenderedImage:
    plan = Plan("k", passthrough_formats=words, **({"width": 100, "format": "webp"} | options))
    return render(plan, Source.from_bytes(source), limits=Limits(), checked_sha256=sha256(source) if checked else "")


@pytest.mark.parametrize("kind", [kind for kind in sources() if kind != "svg"])
def test_a_source_of_a_type_that_is_left_alone_is_the_answer(kind: str) -> None:
    source, form = sources()[kind], kind.split(maxsplit=1)[0]
    image = skipping(source, form)
    assert image.body == source
    assert image.content_type == Image.MIME[str(Image.open(io.BytesIO(source)).format)]
    assert (image.width, image.height) == SIZE
    assert skipping(source, "all").body == source
    others = skipping(source, *({"gif", "svg", "webp"} - {form}))
    assert (others.width, others.content_type) == (100, "image/webp")


def test_an_svg_is_left_alone_without_what_does_not_draw() -> None:
    unsafe = SVG.replace(b"</svg>", b"<script>alert(1)</script></svg>")
    for checked in (True, False):
        image = skipping(unsafe, "svg", checked=checked)
        assert image.content_type == "image/svg+xml"
        assert b"script" not in image.body
        assert b"circle" in image.body


def test_a_source_that_was_not_ingested_is_checked_and_cleaned() -> None:
    private = saved(photo(), "JPEG", exif=exif(), quality=95)
    left = skipping(private, "jpeg", checked=False)
    assert b"secret" not in left.body
    assert np.array_equal(seen(left.body), seen(private))
    with pytest.raises(DamagedSource):
        skipping(private[: len(private) // 2], "jpeg", checked=False)
    moved = skipping(moving(), "gif", checked=False)
    assert (moved.frames, moved.content_type) == (4, "image/gif")
    tiff = skipping(sources()["tiff"], "all", checked=False)
    assert tiff.content_type == "image/webp", "which cannot be cleaned is made"


def test_what_hides_something_is_never_left_alone() -> None:
    with pytest.raises(FindingsPending):
        skipping(PHOTO, "all", redact="faces")
    face = Region(0.4, 0.4, 0.2, 0.2)
    plan = Plan("k", passthrough_formats=("all",), redact="faces", format="png")
    image = render(plan, Source.from_bytes(PHOTO), limits=Limits(), findings=known(face), checked_sha256=sha256(PHOTO))
    assert seen(image.body)[120, 160].tolist() == [0, 0, 0]


def test_a_sixteen_bit_source_is_left_with_all_of_them() -> None:
    assert skipping(sixteen_bit(), "png").body == sixteen_bit()


def test_what_ingest_makes_is_what_a_request_makes() -> None:
    plans = [
        Plan("k", width=100, format="jpeg"),
        Plan("k", width=100, scale=Scale(0.5, 0.5), format="png"),
        Plan("k", inset=Padding(20, 20, 20, 20), width=90, format="png"),
        Plan("k", orient=False, width=80, format="png"),
    ]
    turned = saved(photo(), "JPEG", quality=95, exif=exif(6))
    for plan, image in decode_once(Source.from_bytes(turned), plans, limits=Limits()).render_all():
        alone = render(plan, Source.from_bytes(turned), limits=Limits())
        assert (image.width, image.height) == (alone.width, alone.height)
        assert alike(seen(image.body), seen(alone.body)) > 0.98
