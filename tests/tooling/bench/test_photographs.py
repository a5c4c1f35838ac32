"""Tests of bytes at an equal score over many photographs, without sharp."""

from __future__ import annotations

import math

import pytest

from bench.goals import read_goals
from bench.photographs.comparing import STARTS, Compared, Outcome, interpolate_equal_bytes
from bench.suites.photographs import AVIF_ALLOWANCE, figures, text


@pytest.mark.parametrize("target", [31.0, 55.0, 60.2, 74.9, 88.0])
def test_a_peers_bytes_are_those_at_the_target_score(target: float) -> None:
    """A peer whose score rises by one a step of quality, and whose bytes double every twenty."""
    asked: list[int] = []

    def image(quality: int) -> tuple[float, int]:
        asked.append(quality)
        return float(quality), round(10_000 * 2 ** (quality / 20))

    found = interpolate_equal_bytes(target, 56, image)
    assert found == pytest.approx(10_000 * 2 ** (target / 20), rel=0.001)
    assert len(asked) == len(set(asked))
    assert min(asked) <= target <= max(asked)


@pytest.mark.parametrize("score", [0.0, 100.0])
def test_a_score_that_no_quality_has_ends_the_search(score: float) -> None:
    asked: list[int] = []
    interpolate_equal_bytes(50.0, 80, lambda quality: (asked.append(quality) or score + quality / 1000, 1000 + quality))
    assert len(asked) <= 15
    assert all(1 <= quality <= 100 for quality in asked)


def test_the_mean_is_geometric_and_the_worst_is_named() -> None:
    found = [Compared("a_by_b", 2000, 70.0, 1000), Compared("c", 500, 60.0, 1000), Compared("d", 1080, 60.0, 1000)]
    outcomes = [Outcome(form, found, reencoded) for reencoded in (False, True) for form in STARTS]
    assert outcomes[0].mean == pytest.approx(math.pow(1.08, 1 / 3))
    made = {figure.goal: figure for figure in figures(outcomes)}
    assert made["bytes-avif-worst"].value == 2.0
    assert made["bytes-avif-worst"].why == "2.00, a by b"
    assert set(made) <= set(read_goals())
    assert len(made) == 2 * len(STARTS) + 1
    assert read_goals()["bytes-avif"].limit == 1 + AVIF_ALLOWANCE
    assert "| a by b | 2,000 | 70.0 | 2.000 |" in text(outcomes)
