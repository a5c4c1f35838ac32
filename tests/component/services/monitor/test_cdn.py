"""CDN hit ratios: read from us-east-1, weighted by requests, not published without requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_pipeline.operations.cdn_check import CdnCheck, count_hits_and_misses, percent
from tests.component.services.emf_metrics import counted, of

from .environment import MonitorEnvironment


def look(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    observer = stack.observer
    CdnCheck(stack.reader, observer).run(stack.now_s)
    observer.flush()
    figures = counted(capsys.readouterr().out)
    return {name: of(figures, name)[""] for name in ("CacheHitRatio", "StoreHitRatio") if of(figures, name)}


def test_minutes_count_by_their_requests(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    stack.of_cdn("Requests", {2: 900, 1: 100})
    stack.of_cdn("CacheHitRate", {2: 90, 1: 40})
    stack.of_lambda("transform", "Invocations", {2: 30, 1: 7.5})
    # 810 + 40 hits of 1000; of 150 misses 37.5 were rendered
    assert look(stack, capsys) == {"CacheHitRatio": pytest.approx(85), "StoreHitRatio": pytest.approx(75)}


def test_no_data_publishes_no_metric(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    assert look(stack, capsys) == {}
    stack.of_cdn("Requests", 100)  # without CloudFront's additional metrics no rate is published
    assert look(stack, capsys) == {}


def test_a_full_cdn_cache_publishes_no_ratio_of_the_store(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.of_cdn("Requests", 100)
    stack.of_cdn("CacheHitRate", 100)
    assert look(stack, capsys) == {"CacheHitRatio": 100}


def test_what_is_older_than_an_hour_does_not_count(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.of_cdn("Requests", {61: 1000, 60: 100})
    stack.of_cdn("CacheHitRate", {61: 0, 60: 80})
    assert look(stack, capsys)["CacheHitRatio"] == pytest.approx(80)


def test_a_minute_whose_rate_is_missing_is_left_out() -> None:
    assert count_hits_and_misses([(0, 100.0), (60, 50.0)], [(60, 80.0)]) == (40.0, 10.0)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_ratio_is_at_most_one_for_any_counts(part: float, whole: float) -> None:
    ratio = percent(part, whole)
    assert ratio is None if whole < 1 else 0 <= (ratio if ratio is not None else -1) <= 100
