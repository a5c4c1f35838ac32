"""Views have three bands whatever the bands, depth and colour space of the source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import TASKS
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.views import choose_views
from darkroom_pipeline.imaging.views import decode_view, make_thumbnail, mean_luma, read_rgb, render_first_frame

LIMITS = Limits()
SQUARE_PX = 16
"""Side of a square of black or white, of which the middle survives JPEG and conversions."""


class Kind(NamedTuple):
    """A file that libvips writes: the colour space, whether it has alpha, the suffix, and options of the writer."""

    space: str
    alpha: bool
    suffix: str
    options: tuple[tuple[str, object], ...] = ()


KINDS = (
    *(Kind("b-w", False, suffix) for suffix in (".jpg", ".png", ".webp", ".avif", ".gif", ".tif")),
    *(Kind("srgb", False, suffix) for suffix in (".jpg", ".png", ".webp", ".avif", ".gif", ".tif")),
    *(Kind(space, True, suffix) for space in ("b-w", "srgb") for suffix in (".png", ".webp", ".avif", ".gif", ".tif")),
    *(
        Kind(space, alpha, suffix)
        for space in ("grey16", "rgb16")
        for alpha in (False, True)
        for suffix in (".png", ".tif")
    ),
    *(Kind("b-w", False, ".png", (("bitdepth", bits),)) for bits in (1, 2, 4)),
    *(Kind("b-w", False, ".tif", (("bitdepth", bits),)) for bits in (1, 2, 4)),
    Kind("b-w", False, ".tif", (("miniswhite", True),)),
    Kind("b-w", False, ".jpg", (("interlace", True),)),
    Kind("srgb", False, ".png", (("palette", True),)),
    *(Kind("cmyk", False, suffix) for suffix in (".jpg", ".tif")),
    *(Kind(space, False, ".tif") for space in ("lab", "labs", "scrgb")),
)


def draw_squares(columns: int, rows: int) -> pyvips.Image:
    """Return a chessboard of black and white, which every kind holds without loss of meaning."""
    dark = np.indices((rows, columns)).sum(axis=0) % 2
    pixels = np.kron(dark, np.ones((SQUARE_PX, SQUARE_PX))) * 255
    return pyvips.Image.new_from_array(pixels.astype(np.uint8)[:, :, np.newaxis]).copy(interpretation="b-w")


def write(kind: Kind, board: pyvips.Image) -> bytes:
    wide = kind.space in ("grey16", "rgb16")
    image = board.colourspace(kind.space)
    if kind.alpha:
        opaque = (board * 0 + (65_535 if wide else 255)).cast("ushort" if wide else "uchar")
        image = image.bandjoin(opaque).copy(interpretation=kind.space)
    body: bytes = image.write_to_buffer(kind.suffix, **dict(kind.options))
    return body


@given(kind=st.sampled_from(KINDS), columns=st.integers(1, 5), rows=st.integers(1, 5))
def test_every_view_has_three_bands_and_shows_the_picture(kind: Kind, columns: int, rows: int) -> None:
    board = draw_squares(columns, rows)
    views = choose_views(Source.from_bytes(write(kind, board)), LIMITS, TASKS)
    assert views.gaps == {}
    middles = slice(SQUARE_PX // 2, None, SQUARE_PX)
    [jpeg] = views.all
    shown = read_rgb(jpeg)
    assert shown.shape == (board.height, board.width, 3)
    white = shown[middles, middles] > 127
    assert (white == (board.numpy()[middles, middles, np.newaxis] > 127)).all()
    assert len(make_thumbnail(decode_view(jpeg), 128)) == 3 * 128 * 128
    assert 0 <= mean_luma(jpeg) <= 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.alpha], ids=str)
def test_backgrounds_of_alpha_have_three_bands(kind: Kind) -> None:
    found = render_first_frame(Source.from_bytes(write(kind, draw_squares(3, 2))), LIMITS, 1024)
    assert [view.bands for view in found] == ([3, 3, 3] if found else [])
