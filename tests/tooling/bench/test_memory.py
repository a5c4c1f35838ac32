"""Tests of the memory suite: requests and results."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bench.memory.requests import COUNT, OUTPUTS, MemoryRequest, draw_requests
from bench.memory.run import WARMING, MemoryResult, find_peaks_by_type, growth_mb
from bench.memory.sources import MIXED
from bench.suites import memory
from darkroom.plan.canonical import parse_path


def seen(after_mb: float, peak_mb: float = 0.0, request: MemoryRequest | None = None) -> MemoryResult:
    return MemoryResult(request or draw_requests()[0], 1.0, peak_mb, after_mb)


def test_500_requests_are_the_same_each_time() -> None:
    assert len(draw_requests()) == COUNT == 500
    assert draw_requests() == draw_requests()


@pytest.mark.parametrize("drawn", list(dict.fromkeys(draw_requests())), ids=lambda one: one.path(7))
def test_every_request_is_for_a_canonical_path(drawn: MemoryRequest) -> None:
    assert parse_path(drawn.path(7)).key == f"7/{drawn.source.name}"


def test_sources_and_outputs_are_as_frequent_as_they_weigh() -> None:
    sources = Counter(one.source for one in draw_requests())
    outputs = Counter(one.output for one in draw_requests())
    weights = sum(source.weight for source in MIXED)
    assert all(abs(sources[source] - COUNT * source.weight / weights) < 2 for source in MIXED)
    assert all(abs(outputs[name] - COUNT * weight / sum(OUTPUTS.values())) < 2 for name, weight in OUTPUTS.items())


def test_all_there_is_comes_before_memory_is_to_stay_as_it_is() -> None:
    early = draw_requests()[:WARMING]
    assert {one.source for one in early} == set(MIXED)
    assert {one.output for one in early} == set(OUTPUTS)


def test_all_but_the_rarest_come_ever_again() -> None:
    rarest = min(source.weight for source in MIXED)
    for start in range(0, COUNT, 50):
        names = {one.source for one in draw_requests()[start : start + 50]}
        assert {source for source in MIXED if source.weight > 2 * rarest} <= names


@pytest.mark.slow
def test_growth_is_between_the_second_fifty_and_the_last() -> None:
    rising = [seen(float(min(number, 60))) for number in range(150)]
    assert growth_mb(rising) == 0
    leaking = [seen(number / 10) for number in range(500)]
    assert growth_mb(leaking) == pytest.approx(40)


def test_the_highest_peak_of_a_type_is_reported() -> None:
    one = next(request for request in draw_requests() if request.source.what == "AVIF")
    other = next(request for request in draw_requests() if request.source.what == "SVG")
    found = find_peaks_by_type([seen(1, 50, one), seen(2, 90, one), seen(3, 70, one), seen(4, 60, other)])
    assert {what: most.peak_mb for what, most in found.items()} == {"AVIF": 90, "SVG": 60}


def test_the_figure_is_the_highest_peak_and_says_whose() -> None:
    one = next(request for request in draw_requests() if request.source.what == "SVG")
    peak, growth = memory.figures([*[seen(50, 60)] * 120, seen(50, 120, replace(one, output="w-640.webp"))])
    assert (peak.goal, peak.value, peak.floor) == ("peak-500", 120, 50)
    assert "SVG" in peak.why
    assert (growth.goal, growth.value) == ("peak-500-growth", 0)


def test_the_floor_of_a_peak_in_avif_has_the_encoders_memory() -> None:
    one = next(request for request in draw_requests() if request.source.megapixels == 6)
    peak, _ = memory.figures([*[seen(50, 60)] * 120, seen(50, 120, replace(one, output="w-1000.avif"))])
    height = 1000 * one.source.height / one.source.width
    assert peak.floor == pytest.approx(50 + 34 * 1000 * height / 1e6)
