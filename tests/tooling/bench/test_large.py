"""Tests of the large images' suite: times and memory."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.competitors.model import Competitor
from bench.competitors.pillow.cover import crop_to_cover
from bench.large.covering import SIDE_PX, CoverTimes, Findings, crop_middle, find_fastest, resize_reference
from bench.statistics import Spread
from bench.suites import large


def covered(name: str, *ms: float) -> CoverTimes:
    return CoverTimes(Competitor(name, "", [], Path(), {}), 80, Spread.of(ms), 76.0, 7000)


OURS, MASTER = covered("Darkroom", 48, 47), covered("Darkroom, from the master", 70, 71)
SHARP, PILLOW = covered("sharp", 50, 52), covered("Pillow", 40, 60)


def test_the_cover_is_compared_with_the_fastest_peer_turn_by_turn() -> None:
    slow = covered("Pillow", 80, 90)
    [figure] = large.cover(Findings([OURS, MASTER, SHARP, slow], Spread.of([45, 26]), []))
    assert find_fastest([SHARP, slow]) is SHARP
    assert figure.goal == "cover-24mp"
    assert figure.value == pytest.approx((48 / 50 + 47 / 52) / 2)
    assert (figure.least, figure.most) == (47 / 52, 48 / 50)
    assert figure.floor == pytest.approx((45 / 50 + 26 / 52) / 2)


def test_without_a_peer_there_is_no_figure() -> None:
    assert large.cover(Findings([OURS, MASTER], Spread.of([40, 41]), ["sharp: no npm"])) == []


@pytest.mark.slow
def test_the_table_has_every_competitor_and_the_floor() -> None:
    table = large.cover_table(Findings([OURS, MASTER, SHARP, PILLOW], Spread.of([45, 26]), []), 2, 0.1)
    assert [row[0] for row in table.rows] == [
        *("Darkroom", "Darkroom, from the master", "sharp", "Pillow"),
        "Decode and encode alone",
    ]
    assert {len(row) for row in table.rows} == {len(table.headings)}
    assert table.rows[3][2] == "1.00"


def test_memory_is_the_highest_peak_and_a_refusal_the_median() -> None:
    assert large.huge(Spread.of([70, 80, 75])).value == 80
    assert large.refusal(Spread.of([5, 9, 6])).value == 6


def test_pillow_makes_the_requested_square_of_the_middle(tmp_path: Path) -> None:
    image = Image.new("RGB", (1200, 800), "red")
    image.paste("blue", (200, 0, 1000, 800))
    file = tmp_path / "wide.jpg"
    image.save(file, quality=95)
    [options] = crop_middle(90).values()
    assert isinstance(options, dict)
    made = Image.open(io.BytesIO(crop_to_cover(file.read_bytes(), SIDE_PX, SIDE_PX, 90)))
    reference = resize_reference(file)
    assert made.size == (SIDE_PX, SIDE_PX) == reference.shape[:2]
    assert np.abs(np.asarray(made.convert("RGB")).astype(int) - reference).mean() < 3
    assert (options["width"], options["height"], options["fit"]) == (SIDE_PX, SIDE_PX, "cover")
