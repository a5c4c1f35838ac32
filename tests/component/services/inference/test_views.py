"""Select the images of a source to analyse: each visible one once, up to a limit."""

from __future__ import annotations

import io
from itertools import count

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageDraw

from darkroom.errors import Unavailable
from darkroom.findings import FACES, FAILED, MODERATION, SIMILARITY, Finding
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.views import UNREADABLE, UNSAMPLED, Views, _distinct_views, choose_views, combine
from darkroom_pipeline.imaging import views as rendering
from darkroom_pipeline.imaging.master import make_master
from darkroom_pipeline.imaging.views import encode_view
from tests.images import hidden
from tests.images.photographs import jpeg_photo, photograph
from tests.images.rendering import opened

TASKS = (FACES, MODERATION)
LIMITS = Limits()


def master_of(upload: bytes) -> bytes:
    return make_master(upload, probe(Source.from_bytes(upload), LIMITS), limits=LIMITS).body


def chosen(body: bytes, tasks: tuple[str, ...] = TASKS, most: int = 64) -> Views:
    return choose_views(Source.from_bytes(body), LIMITS, tasks, most=most)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two images of one size, from 0 to 255."""
    return float(np.abs(np.asarray(one.convert("RGB"), np.int16) - np.asarray(other.convert("RGB"))).mean())


def shows(views: Views, wanted: Image.Image) -> bool:
    return any(difference(opened(jpeg), wanted) < 6 for jpeg in (*views.first, *views.further))


QUICK = ("gif-last", "tiff-last-page", "alpha-coloured-on-black", "alpha-zero-png", "gain-map", "apng-frame")


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow)
        for kind in (*hidden.KINDS, *hidden.GREY_KINDS)
    ],
)
def test_a_hidden_image_is_analysed_or_removed(kind: str) -> None:
    planted = hidden.flagged_drawing()
    body = master_of({**hidden.KINDS, **hidden.GREY_KINDS}[kind](planted))
    views = chosen(body)
    assert views.gaps == {}
    if kind in hidden.REMOVED:
        assert getattr(Image.open(io.BytesIO(body)), "n_frames", 1) == 1
        assert not shows(views, planted)
        return
    assert shows(views, planted.convert("L") if kind in hidden.GREY_KINDS else planted)


@pytest.mark.parametrize("orientation", [1, 6])
def test_views_of_alpha_are_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.new("RGBA", (120, 80), (255, 255, 255, 0))
    ImageDraw.Draw(image).rectangle((0, 0, 30, 20), fill=(255, 255, 255, 255))
    out = io.BytesIO()
    image.save(out, "PNG", exif=exif)
    white, black = (opened(jpeg) for jpeg in chosen(out.getvalue()).first)
    assert white.size == black.size == ((120, 80) if orientation == 1 else (80, 120))
    corner = (5, 5) if orientation == 1 else (75, 5)
    assert black.getpixel(corner) == pytest.approx((255,) * 3, abs=4)
    assert black.getpixel((60, 60)) == pytest.approx((0,) * 3, abs=4)


def opaque_alpha() -> bytes:
    out = io.BytesIO()
    photograph().convert("RGBA").save(out, "PNG", compress_level=1)
    return out.getvalue()


@pytest.mark.parametrize("body", [jpeg_photo(), opaque_alpha()], ids=["jpeg", "opaque alpha"])
def test_what_hides_nothing_is_analysed_once(body: bytes) -> None:
    views = chosen(body)
    assert (len(views.first), views.further, views.gaps) == (1, (), {})


@pytest.mark.slow
def test_without_moderation_only_backgrounds_are_added() -> None:
    assert chosen(hidden.KINDS["gif-last"](hidden.flagged_drawing()), (FACES,)).further == ()
    assert len(chosen(hidden.over_white(hidden.flagged_drawing()), (SIMILARITY,)).first) == 1
    assert len(chosen(hidden.over_white(hidden.flagged_drawing()), (FACES,)).first) == 2


def animation(frames: int, *, distinct: bool) -> bytes:
    """Return a GIF of one landscape in which a dot moves, or of another landscape in each frame."""
    images = [hidden.innocent(number if distinct else 0).copy() for number in range(frames)]
    for number, image in enumerate(images):
        image.putpixel((number, 100), (255, 0, 0))
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=40)
    return out.getvalue()


@pytest.mark.slow
def test_frames_that_resemble_one_another_are_analysed_once() -> None:
    views = chosen(animation(8, distinct=False))
    assert (len(views.further), views.gaps) == (0, {})


@pytest.mark.slow
def test_the_first_frame_of_an_animation_is_analysed_if_the_still_is_another() -> None:
    """A decoder of animations may see another one than that of stills."""
    still = encode_view(pyvips.Image.black(320, 320, bands=3).copy(interpretation="srgb"))
    same = chosen(animation(3, distinct=True)).first
    assert len(list(_distinct_views(Source.from_bytes(animation(3, distinct=True)), LIMITS, same))) == 2
    assert len(list(_distinct_views(Source.from_bytes(animation(3, distinct=True)), LIMITS, [still]))) == 3


@pytest.mark.slow
@pytest.mark.parametrize(("most", "further", "gap"), [(4, 3, {}), (3, 2, {MODERATION: UNSAMPLED})])
def test_more_than_the_bound_is_a_gap(most: int, further: int, gap: dict[str, str]) -> None:
    views = chosen(animation(4, distinct=True), most=most)
    assert (len(views.further), views.gaps) == (further, gap)


@pytest.mark.slow
def test_too_much_time_is_a_gap() -> None:
    clock = count(0, 15)
    views = choose_views(
        Source.from_bytes(animation(5, distinct=True)), LIMITS, TASKS, monotonic=lambda: float(next(clock))
    )
    assert (len(views.further), views.gaps) == (2, {MODERATION: UNSAMPLED})


def test_a_page_that_cannot_be_decoded_is_a_gap() -> None:
    body = bytearray(hidden.in_frame(hidden.flagged_drawing(), "TIFF", 1, 3, compression="tiff_lzw"))
    image = Image.open(io.BytesIO(bytes(body)))
    image.seek(2)
    [start, *_] = image.tag_v2[273]  # StripOffsets
    body[start : start + 2000] = b"\xff" * 2000
    views = chosen(bytes(body))
    assert (len(views.first), views.gaps) == (1, {MODERATION: UNREADABLE})


@pytest.mark.parametrize(
    ("part", "gaps"),
    [
        ("render_all_frames", {MODERATION: FAILED}),
        ("render_gain_map", {MODERATION: FAILED}),
        ("render_first_frame", {FACES: FAILED, MODERATION: FAILED}),
    ],
)
def test_a_defect_in_a_further_view_fails_only_what_needs_it(
    part: str, gaps: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("cannot reshape array")

    monkeypatch.setattr(rendering, part, fail)
    views = chosen(jpeg_photo(), (FACES, SIMILARITY, MODERATION))
    assert (len(views.first), views.further, views.gaps) == (1, (), gaps)
    found = combine({task: Finding(task, "m", "1") for task in (FACES, SIMILARITY, MODERATION)}, (), views.gaps)
    assert {task: finding.error for task, finding in found.items() if finding.error} == gaps


def test_a_fault_that_may_pass_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Unavailable

    monkeypatch.setattr(rendering, "render_first_frame", fail)
    with pytest.raises(Unavailable):
        chosen(jpeg_photo())
