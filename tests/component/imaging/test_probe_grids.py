"""HEIC and AVIF grids: tiles that are padded beyond the image are decoded, for all sizes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import DamagedSource
from darkroom.imaging.formats.bmff.probe import MAX_TILE_PIXELS
from darkroom.imaging.formats.load import load_whole
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master
from tests.images.drawn import HEIC, avif
from tests.images.heif_files import grid, heif, parts_of

HEVC_TILE = (96, 64)
TURNS = (b"irot", b"imir")


@cache
def tile(form: str, side_px: int) -> bytes:
    """One coded image; of HEVC there is only one size."""
    if form == "avif":
        return avif(side_px, side_px)
    first, *_ = parts_of((HEIC / "corners-turned-6.heic").read_bytes())
    stored = tuple(found for found in first.properties if found.kind not in TURNS)
    return heif([replace(first, properties=stored)], brand=b"heic")


def tiled(form: str, side_px: int, columns: int, rows: int, width: int, height: int) -> bytes:
    return heif(grid(tile(form, side_px), columns, rows, width, height), brand=form.encode())


def pixels(data: bytes) -> np.ndarray:
    source = Source.from_bytes(data)
    with source.decoding():
        return np.asarray(load_whole(source, probe(source, Limits()), Limits()).frames[0].numpy())


@given(
    form=st.sampled_from(["avif", "heic"]),
    side_px=st.sampled_from([64, 128, 512, 1024]),
    columns=st.integers(1, 4),
    rows=st.integers(1, 4),
    data=st.data(),
)
def test_a_grid_of_any_size_shows_its_tiles(
    form: str, side_px: int, columns: int, rows: int, data: st.DataObject
) -> None:
    """The size of the image is anything that ends in the last column and row."""
    wide, tall = (side_px, side_px) if form == "avif" else HEVC_TILE
    width = data.draw(st.integers(wide * (columns - 1) + 1, wide * columns), "width")
    height = data.draw(st.integers(tall * (rows - 1) + 1, tall * rows), "height")
    file = tiled(form, side_px, columns, rows, width, height)
    header = probe(Source.from_bytes(file), Limits())
    assert (header.format, header.width, header.height) == (form, width, height)
    shown = pixels(file)
    whole = np.tile(pixels(tile(form, side_px)), (rows, columns, 1))[:height, :width]
    assert np.array_equal(shown, whole)


@pytest.mark.parametrize("form", ["avif", "heic"])
def test_an_image_smaller_than_its_tile_is_ingested(form: str) -> None:
    file = tiled(form, 512, 1, 1, 50, 40)
    header = probe(Source.from_bytes(file), Limits())
    master = make_master(file, header, limits=Limits())
    assert pixels(master.body).shape[:2] == (40, 50)
    assert (strip_metadata(file, header) is not None) == (form == "avif")


@pytest.mark.parametrize(("columns", "rows", "fits"), [(2, 1, True), (3, 1, False), (1, 2, True), (1, 3, False)])
def test_one_column_or_row_outside_the_image_is_decoded_and_more_are_not(columns: int, rows: int, fits: bool) -> None:
    source = Source.from_bytes(tiled("avif", 64, columns, rows, 64, 64))
    if fits:
        assert probe(source, Limits()).width == 64
        return
    with pytest.raises(DamagedSource):
        probe(source, Limits())


def test_a_tile_of_more_pixels_than_any_encoder_makes_is_refused() -> None:
    side_px = int(MAX_TILE_PIXELS**0.5) + 1
    parts = grid(tile("avif", 64), 1, 1, 50, 40)
    said = bytes(4) + side_px.to_bytes(4) * 2
    big = [
        replace(
            part, properties=tuple(one._replace(body=said) if one.kind == b"ispe" else one for one in part.properties)
        )
        for part in parts[1:]
    ]
    with pytest.raises(DamagedSource):
        probe(Source.from_bytes(heif([parts[0], *big])), Limits())
