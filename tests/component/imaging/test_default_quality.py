"""The quality of images whose request has none: the default of each format, and that of a deployment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import AUTO_QUALITY, DefaultQuality, Plan
from darkroom.settings import DEFAULTS
from darkroom_pipeline.imaging.pyramid_presets import PyramidPresets
from darkroom_pipeline.imaging.render_many import BatchRender, decode_once
from darkroom_pipeline.reencode.search import reencode
from tests.images.photographs import jpeg_photo, photograph
from tests.images.sources import photo, saved

OTHER = DefaultQuality(jpeg=35, webp=45, avif=55)
PLANS = [Plan("a", width=200, format=form) for form in DefaultQuality._fields]


def render_singly(plan: Plan, quality: DefaultQuality) -> RenderedImage:
    return render(plan, Source.from_bytes(jpeg_photo()), limits=Limits(), effort="balanced", default_quality=quality)


def render_together(plan: Plan, quality: DefaultQuality) -> RenderedImage:
    return only(decode_once(Source.from_bytes(jpeg_photo()), [plan], limits=Limits(), default_quality=quality))


def render_cropped(plan: Plan, quality: DefaultQuality) -> RenderedImage:
    """By an option for which the source is decoded again."""
    return render_together(replace(plan, trim=1), quality)


def render_from_pyramid(plan: Plan, quality: DefaultQuality) -> RenderedImage:
    source = Source.from_bytes(jpeg_photo())
    return only(PyramidPresets(source, [plan], limits=Limits(), default_quality=quality))


def only(batch: BatchRender | PyramidPresets) -> RenderedImage:
    return next(image for of, image in batch.render_all() if isinstance(of, Plan))


def test_the_defaults_are_those_of_stored_derivatives() -> None:
    """A change of one needs a note in the changelog: stored derivatives keep the former one."""
    assert DefaultQuality() == (80, 80, 80) == DEFAULTS.default_quality
    assert DefaultQuality._fields == ("jpeg", "webp", "avif")


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.format)
@pytest.mark.parametrize("way", [render_singly, render_together, render_cropped, render_from_pyramid])
def test_a_plan_without_quality_has_that_of_its_format(
    way: Callable[[Plan, DefaultQuality], RenderedImage], plan: Plan
) -> None:
    wanted = way(replace(plan, quality=getattr(OTHER, plan.format)), DefaultQuality()).body
    assert way(plan, OTHER).body == wanted != way(plan, DefaultQuality()).body
    assert way(replace(plan, quality=66), OTHER).body == way(replace(plan, quality=66), DefaultQuality()).body


def test_an_image_too_small_for_a_score_has_the_default() -> None:
    dot = saved(Image.new("RGB", (6, 6), (200, 40, 90)), "PNG")
    plans = [Plan("a", format="webp", quality=quality) for quality in (AUTO_QUALITY, None)]
    found = {render(plan, Source.from_bytes(dot), limits=Limits(), default_quality=OTHER).body for plan in plans}
    assert len(found) == 1


@pytest.mark.parametrize(("quality", "is_reused"), [(60, False), (90, True)])
def test_a_jpeg_of_at_most_the_default_quality_is_returned_as_it_is(quality: int, *, is_reused: bool) -> None:
    data = saved(photograph().resize((900, 600)), "JPEG", quality=75)
    default = DefaultQuality(jpeg=quality)
    plan, sha256 = Plan("a", width=900, format="jpeg"), hashlib.sha256(data).hexdigest()
    made = render(plan, Source.from_bytes(data), limits=Limits(), checked_sha256=sha256, default_quality=default)
    assert (made.body == data) is is_reused


def test_an_animation_is_encoded_again_with_the_default() -> None:
    """It is not scored, so that it does not keep the quality of the stored one."""
    frames = [photo().rotate(angle) for angle in (0, 5, 10)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=80)
    plan, stored = Plan("a", width=160, format="webp"), bytes(len(data))
    found = reencode(plan, Source.from_bytes(data), stored, limits=Limits(), default_quality=OTHER)
    named = reencode(replace(plan, quality=OTHER.webp), Source.from_bytes(data), stored, limits=Limits())
    assert found is not None
    assert named is not None
    assert found.image.body == named.image.body


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_a_limit_of_bytes_starts_at_the_default(form: str) -> None:
    plan = Plan("a", width=300, format=form)
    low, usual = (len(render_singly(plan, default).body) for default in (OTHER, DefaultQuality()))
    limited = replace(plan, max_bytes=(low + usual) // 2)
    assert len(render_singly(limited, OTHER).body) == low
