"""Cut-outs: where the raster lies in the result, colours at edges, and what is served without a raster."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from darkroom.errors import FindingsPending, Unanalysable
from darkroom.findings import CUTOUT, FACES, Finding, Findings
from darkroom.imaging.colour.convert import apply_orientation
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Gravity
from darkroom.plan.native_url import parse_url
from darkroom.settings import parse_settings
from tests.images.rasters import cut_findings, rectangle
from tests.images.rendering import Pixels, made, opened, rgba
from tests.images.sources import saved
from tests.images.steps import build_image

WIDTH, HEIGHT = 120, 80
INNER = (30, 20, 90, 60)
"""Left, top, right and bottom of the foreground."""

RED, BLUE = (200, 30, 30), (20, 40, 210)


def photo(scale: int = 1) -> bytes:
    """A red rectangle on blue, ``scale`` times as large."""
    pixels = np.empty((HEIGHT * scale, WIDTH * scale, 3), np.uint8)
    pixels[:] = BLUE
    left, top, right, bottom = (side * scale for side in INNER)
    pixels[top:bottom, left:right] = RED
    return saved(Image.fromarray(pixels), "PNG")


KNOWN = cut_findings(rectangle(WIDTH, HEIGHT, *INNER))


def cut(source: bytes, known: Findings | None = KNOWN, **options: Any) -> Pixels:
    return rgba(made(source, known=known, cutout=True, **options).body)


def shown(pixels: Pixels) -> tuple[int, int, int, int]:
    """The box of what is mostly opaque: left, top, right, bottom."""
    rows, columns = np.nonzero(pixels[..., 3] > 127)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_the_background_is_transparent_and_the_foreground_is_not() -> None:
    pixels = cut(photo())
    left, top, right, bottom = INNER
    assert pixels.shape == (HEIGHT, WIDTH, 4)
    assert pixels[top + 1 : bottom - 1, left + 1 : right - 1, 3].min() == 255
    outside = pixels[..., 3].copy()
    outside[top - 1 : bottom + 1, left - 1 : right + 1] = 0
    assert outside.max() == 0
    assert tuple(pixels[HEIGHT // 2, WIDTH // 2, :3]) == RED


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"width": 60}, (15, 10, 45, 30)),
        ({"width": 240, "upscale": True}, (60, 40, 180, 120)),
        ({"crop": Crop("px", 20, 10, 80, 60)}, (10, 10, 70, 50)),
        ({"width": 40, "height": 40, "fit": "cover"}, (5, 10, 35, 30)),
        ({"width": 40, "height": 40, "fit": "cover", "gravity": Gravity("west")}, (15, 10, 40, 30)),
        ({"rotate": 90}, (20, 30, 60, 90)),
        ({"flip": "h", "crop": Crop("px", 0, 0, 80, 80)}, (0, 20, 50, 60)),
        ({"trim": 10}, (0, 0, 60, 40)),
        ({"trim": 10, "width": 30}, (0, 0, 30, 20)),
        ({"width": 100, "height": 100, "fit": "letterbox", "trim": 10}, (0, 17, 100, 84)),
    ],
    ids=str,
)
def test_the_raster_follows_crop_size_and_rotation(options: dict[str, Any], expected: tuple[int, ...]) -> None:
    found = shown(cut(photo(), **({"upscale": True} if options.get("fit") == "letterbox" else {}), **options))
    assert all(abs(one - other) <= 1 for one, other in zip(found, expected, strict=True)), found


@pytest.mark.sample(4)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_raster_is_that_of_the_upright_image(orientation: int) -> None:
    undone = {6: 8, 8: 6}.get(orientation, orientation)
    stored = apply_orientation(build_image(rgb(photo())), undone)
    body = stored.copy()
    body.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    source = body.tiffsave_buffer(compression="deflate")
    assert shown(cut(source)) == shown(cut(photo()))
    assert shown(cut(source, trim=10)) == shown(cut(photo(), trim=10))


def rgb(body: bytes) -> Pixels:
    return rgba(body)[..., :3]


def test_edges_have_the_colour_of_the_foreground() -> None:
    """A raster with soft edges on an image with soft edges: no blue is left where red is half covered."""
    soft = opened(photo(4)).filter(ImageFilter.GaussianBlur(1.5))
    coverage = Image.fromarray(rectangle(WIDTH * 4, HEIGHT * 4, *(side * 4 for side in INNER)))
    known = cut_findings(np.asarray(coverage.filter(ImageFilter.GaussianBlur(1.5))))
    pixels = cut(saved(soft, "PNG"), known).astype(int)
    edge = (pixels[..., 3] > 40) & (pixels[..., 3] < 215)
    assert edge.sum() > 500
    mixed = np.asarray(soft, int)[edge]
    assert np.abs(pixels[edge][:, :3] - RED).mean() < 0.35 * np.abs(mixed - RED).mean()


def test_a_pixel_that_is_nearly_covered_keeps_its_detail() -> None:
    """Stripes across a soft edge: the colour of the foreground is an average of its surroundings, the pixel is not."""
    left, top, right, bottom = (side * 4 for side in INNER)
    sharp = np.array(opened(photo(4)), float)
    sharp[top:bottom, left:right] = RED
    for row in (0, 1):
        sharp[top + row : bottom : 4, left:right] = (140, 30, 30)
    image = blurred_along_rows(sharp)
    coverage = blurred_along_rows(rectangle(WIDTH * 4, HEIGHT * 4, left, top, right, bottom).astype(float))
    column = cut(saved(Image.fromarray(image), "PNG"), cut_findings(coverage)).astype(int)[:, left + 1]
    dark, bright = column[top + 20 : bottom - 20 : 4], column[top + 22 : bottom - 20 : 4]
    assert 220 < column[top + 20 : bottom - 20, 3].min() <= column[top + 20 : bottom - 20, 3].max() < 250
    assert bright[:, 0].mean() - dark[:, 0].mean() > 40, "60 where it is covered completely"


def blurred_along_rows(values: NDArray[np.float64]) -> Pixels:
    shifted = zip(np.array([1, 4, 6, 4, 1]) / 16, range(-2, 3), strict=True)
    return np.rint(sum(weight * np.roll(values, by, axis=1) for weight, by in shifted)).astype(np.uint8)


def test_a_coarse_raster_follows_the_edges_of_a_large_image() -> None:
    """A soft raster in an image eight times as large: its edges become those of the pixels."""
    coverage = Image.fromarray(rectangle(WIDTH, HEIGHT, *INNER)).filter(ImageFilter.GaussianBlur(1.2))
    pixels = cut(photo(8), cut_findings(np.asarray(coverage)))[..., 3].astype(int)
    truth = rectangle(WIDTH * 8, HEIGHT * 8, *(side * 8 for side in INNER)).astype(int)
    enlarged = np.asarray(coverage.resize((WIDTH * 8, HEIGHT * 8)), int)
    assert np.abs(pixels - truth).mean() < 0.4 * np.abs(enlarged - truth).mean()


def test_glass_beside_a_gap_stays_opaque() -> None:
    """Glass has the background's colours and dark rims: where the raster is sure of it, its colour decides little."""
    row, column = np.mgrid[: HEIGHT * 9, : WIDTH * 9] / 3
    behind = np.stack([150 + 20 * np.sin(column / 40), 160 + 15 * np.cos(row / 50), 170 + 0 * row], axis=2)
    glass = 0.85 * behind + 0.15 * np.array([235, 240, 245])
    glass[(column - 60) % 50 < 6] = (60, 60, 70)
    glass[np.abs((column - 60) % 50 - 12) < 2] = (250, 250, 250)
    covered = (column >= 60) & (column < 260) & (row >= 40) & (row < 200)
    covered &= ~((column >= 150) & (column < 158) & (row >= 80) & (row < 160))
    image = np.where(covered[..., None], glass, behind).astype(np.uint8)
    coverage = Image.fromarray(covered.astype(np.uint8) * 255).resize((WIDTH * 3, HEIGHT * 3), Image.Resampling.BOX)
    coverage = coverage.filter(ImageFilter.GaussianBlur(4))
    alpha = cut(saved(Image.fromarray(image), "PNG"), cut_findings(np.asarray(coverage)))[..., 3]
    certain = np.asarray(coverage.resize(image.shape[1::-1], Image.Resampling.BILINEAR)) > 0.9 * 255
    assert (alpha[certain & covered] < 128).mean() == 0
    assert alpha[~covered].mean() < 0.2 * 255


def test_transparency_of_the_source_stays() -> None:
    pixels = np.concatenate([rgb(photo()), np.full((HEIGHT, WIDTH, 1), 255, np.uint8)], axis=2)
    pixels[:, 60:, 3] = 0
    found = cut(saved(Image.fromarray(pixels), "PNG"))
    assert shown(found) == (30, 20, 60, 60)


@pytest.mark.parametrize("mode", ["L", "I;16", "CMYK"])
def test_other_colours(mode: str) -> None:
    image = Image.fromarray(rgb(photo()))
    if mode == "I;16":
        grey = np.asarray(image.convert("L"), np.uint16) * 257
        body = saved(Image.fromarray(grey), "PNG")
    else:
        body = saved(image.convert(mode), "TIFF" if mode == "CMYK" else "PNG")
    assert shown(cut(body)) == INNER


GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "cut-outs.md"


def test_the_preset_of_the_guide_shows_a_product_in_the_middle_of_a_white_square() -> None:
    """A grey product on grey paper, in warm light: white around it, and grey again."""
    settings = parse_settings(tomllib.loads(GUIDE.read_text(encoding="utf-8").split("```toml")[1].split("```")[0]))
    pixels = np.full((600, 800, 3), (190, 180, 165), np.uint8)
    pixels[200:400, 300:500] = (95, 90, 82)
    known = cut_findings(rectangle(800, 600, 300, 200, 500, 400))
    plan = parse_url("/shop/a.png?preset=product", settings.presets).plan
    source = Source.from_bytes(saved(Image.fromarray(pixels), "PNG"))
    found = rgba(render(replace(plan, format="png"), source, limits=Limits(), findings=known).body).astype(int)
    assert found.shape == (1080, 1080, 4)
    inside = (np.abs(found[..., :3] - 255) > 60).all(axis=2)
    assert np.ptp(found[540, 540, :3]) <= 4
    assert (found[:40] == 255).all()
    rows, columns = np.nonzero(inside)
    assert abs(rows.min() + rows.max() - 1079) <= 2
    assert abs(columns.min() + columns.max() - 1079) <= 2


def test_jpeg_shows_the_background_colour() -> None:
    body = made(photo(), known=KNOWN, cutout=True, format="jpeg", background="00ff00").body
    assert tuple(abs(int(a) - b) < 12 for a, b in zip(rgba(body)[5, 5, :3], (0, 255, 0), strict=True)) == (True,) * 3


def test_the_whole_image_is_shown_until_it_is_analysed() -> None:
    pending = Findings("1", "etag", {}, (CUTOUT,))
    for known in (None, pending):
        assert cut(photo(), known)[..., 3].min() == 255


def test_an_image_without_foreground_is_not_trimmed() -> None:
    nothing = cut_findings(np.zeros((HEIGHT, WIDTH), np.uint8))
    assert cut(photo(), nothing, trim=10).shape == (HEIGHT, WIDTH, 4)
    assert cut(photo(), nothing)[..., 3].max() == 0


def test_an_analysis_without_a_cut_out_is_refused() -> None:
    with pytest.raises(FindingsPending, match="without a cut-out"):
        cut(photo(), Findings("1", "etag", {FACES: Finding(FACES, "m", "1")}))


def test_an_image_that_the_model_could_not_read_is_refused() -> None:
    broken = Findings("1", "etag", {CUTOUT: Finding(CUTOUT, "m", "1", error="unreadable")})
    with pytest.raises(Unanalysable):
        cut(photo(), broken)
