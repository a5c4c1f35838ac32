"""Tests of the large image suite's times and bytes."""

from __future__ import annotations

import pytest

from bench.scene.run import PyramidResult, TileResult
from bench.scene.tiles import SIDE_PX, Tile, choose_tiles
from bench.statistics import Spread
from bench.suites import scene

OURS, PEER = PyramidResult(40.0, 640.0, 1_000), PyramidResult(25.0, 280.0, 900)
NEAR = TileResult(Tile(1, 0, 0, 512, 512), 90.0, 300_000, 2, Spread.of([12, 13]), Spread.of([10, 10]))
FAR = TileResult(Tile(2, 0, 0, 1024, 1024), 190.0, 1_300_000, 5, Spread.of([20, 21]), Spread.of([20, 20]))


def test_tiles_are_of_every_level_and_within_the_scene() -> None:
    found = choose_tiles(40_000, 30_000)
    assert [*dict.fromkeys(tile.shrink for tile in found)] == [1, 2, 4, 8, 16, 32, 64, 128]
    for tile in found:
        assert 0 < tile.width <= SIDE_PX * tile.shrink
        assert tile.left + tile.width <= 40_000
        assert tile.top + tile.height <= 30_000
    assert str(found[0]) == "1,0,0,512,512"
    assert found[-1] == Tile(128, 0, 0, 40_000, 30_000)


def test_the_dearest_tile_is_the_figure() -> None:
    figures = {figure.goal: figure.value for figure in scene.figures(OURS, PEER, [NEAR, FAR])}
    assert figures == {
        "scene-memory": 640.0,
        "scene-ingest": pytest.approx(1.6),
        "scene-cold": 1.3,
        "scene-warm": pytest.approx(1.25),
    }


@pytest.mark.slow
def test_the_tables_have_all_levels_and_both_pyramids() -> None:
    making, levels = scene.making_table(OURS, PEER, 5), scene.tiles_table([NEAR, FAR], 0.1)
    assert [row[:3] for row in making.rows] == [("Darkroom", "40", "1.60"), ("libvips alone", "25", "1.00")]
    assert [row[0] for row in levels.rows] == ["1 : 1", "1 : 2"]
    for table in (making, levels):
        assert {len(row) for row in table.rows} == {len(table.headings)}
