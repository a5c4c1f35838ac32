"""Tests of the comparison of AV1 encoders, without SVT-AV1."""

from __future__ import annotations

import pytest

from bench.encoders.comparing import CONTENDERS, Measured
from bench.suites import EXCLUDED, SUITES
from bench.suites.encoders import text


def test_means_are_geometric_and_the_worst_is_shown() -> None:
    one = Measured("libaom", [2.0, 0.5, 1.0], [0.1, 0.4, 0.2], [30.0, 10.0, 20.0])
    assert one.mean_bytes == pytest.approx(1.0)
    assert one.mean_cpu == pytest.approx(0.2)
    assert "| libaom | 1.000 | 2.000 | 0.20 | 0.40 | 20 |" in text([one])
    assert "AVIF of 3 photographs" in text([one])


def test_both_encoders_take_part_in_several_settings() -> None:
    assert len({contender.name for contender in CONTENDERS}) == len(CONTENDERS)
    assert {"libaom", "SVT-AV1"} == {contender.name.split(",")[0] for contender in CONTENDERS}
    assert all(contender.speed for contender in CONTENDERS if contender.aom is None)


def test_the_suite_runs_only_if_named() -> None:
    assert "encoders" in SUITES
    assert "encoders" in EXCLUDED
