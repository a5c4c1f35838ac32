"""Price cache misses by durations and memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cost.render_cost import (
    RenderTime,
    ServiceDesign,
    billed_ms,
    billed_start_ms,
    cheapest_mb,
    misses_cost,
    sufficient_sizes_mb,
    with_misses,
)
from darkroom_pipeline.operations.cost_model import load_prices

PRICES = load_prices()
RENDER = RenderTime(wall_ms=150.0, cpu_ms=60.0)


@pytest.mark.parametrize(
    ("memory_mb", "expected"),
    [(1769, 150), (3008, 150), (1769 / 2, 210), (1769 / 4, 330)],
)
def test_computing_takes_longer_on_a_part_of_a_core_and_waiting_does_not(memory_mb: float, expected: int) -> None:
    assert billed_ms(RENDER, memory_mb) == expected


def test_lambda_bills_whole_milliseconds() -> None:
    assert billed_ms(RenderTime(10.001, 1), 1769) == 11


@given(st.floats(128, 10240), st.floats(128, 10240))
def test_more_memory_is_never_slower(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert billed_ms(RENDER, less) >= billed_ms(RENDER, more)


@pytest.mark.parametrize(("memory_mb", "expected"), [(1769, 120), (3008, 120), (1769 / 2, 240), (1769 / 8, 960)])
def test_starting_a_process_is_all_computing(memory_mb: float, expected: int) -> None:
    assert billed_start_ms(RenderTime(150, 60, start_ms=120), memory_mb) == expected


def test_a_million_misses_by_hand_with_cold_starts_and_analysis() -> None:
    """One in ten starts a process: 12 ms more on average. A render makes four requests like a GET, the CDN one."""
    design = ServiceDesign(RenderTime(150.0, 60.0, start_ms=120.0), 50_000, stores=True, extra_gets=3, cold_share=0.1)
    parts = misses_cost(PRICES, design, 1769)
    assert parts == {
        "compute": pytest.approx(1e6 * 1769 / 1024 * 0.162 * 0.0000166667),
        "requests": pytest.approx(0.20 + 5 * 0.40 + 5.00),
        "storage": pytest.approx(50 * 0.023),
        "monitoring": 0,
        "endpoint": 0,
    }


def test_what_is_missed_again_is_stored_where_anything_is() -> None:
    storing = ServiceDesign(RENDER, 50_000, stores=True, extra_gets=3)
    assert (with_misses(storing, 1).stored_share, with_misses(storing, 4).stored_share) == (0, 0.75)
    assert with_misses(ServiceDesign(RENDER, 50_000), 4).stored_share == 0
    four = misses_cost(PRICES, with_misses(storing, 4), 1769, misses=4)
    once = misses_cost(PRICES, storing, 1769, misses=1)
    assert sum(four.values()) == pytest.approx(sum(once.values()) + 3 * 0.0004 / 1000)


@pytest.mark.parametrize(
    ("peak_mb", "least"),
    [(1, 1024), (825.9, 1024), (826.0, 1769), (1426.8, 1769), (1426.9, 3008), (2426, 3008)],
)
def test_memory_that_holds_a_process_with_room(peak_mb: float, least: int) -> None:
    """1024 MiB are 1073.7 MB, of which 825.9 leave three tenths of itself free."""
    sizes = sufficient_sizes_mb(peak_mb)
    assert sizes[0] == least
    assert sizes[-1] == 3008


def test_more_than_there_is_room_for_has_no_price() -> None:
    assert sufficient_sizes_mb(2427) == []
    with pytest.raises(ValueError, match="empty"):
        cheapest_mb(PRICES, ServiceDesign(RENDER, 1), 2427)


@given(st.floats(1, 2000), st.floats(0, 1), st.floats(1, 2000), st.floats(0, 1000))
def test_the_cheapest_memory_is_the_least_but_for_whole_milliseconds(
    wall_ms: float, share: float, peak_mb: float, start_ms: float
) -> None:
    design = ServiceDesign(RenderTime(wall_ms, wall_ms * share, start_ms), 1, cold_share=0.5)
    cheapest = sum(misses_cost(PRICES, design, cheapest_mb(PRICES, design, peak_mb)).values())
    for size in sufficient_sizes_mb(peak_mb):
        assert cheapest <= sum(misses_cost(PRICES, design, size).values())
    least = sum(misses_cost(PRICES, design, sufficient_sizes_mb(peak_mb)[0]).values())
    rounding_ms = 2
    assert least - cheapest <= 1e6 * 3008 / 1024 * rounding_ms / 1000 * 0.0000166667


def test_what_is_found_stored_is_neither_rendered_nor_put() -> None:
    parts = misses_cost(PRICES, ServiceDesign(RENDER, 50_000, stores=True, stored_share=1.0), 1769)
    assert (parts["compute"], parts["requests"], parts["storage"]) == (0, pytest.approx(0.40), 0)


def test_a_design_behind_api_gateway_that_stores_nothing() -> None:
    parts = misses_cost(PRICES, ServiceDesign(RENDER, 50_000, rest_api=True), 1769, architecture="arm64")
    assert parts["requests"] == pytest.approx(0.20 + 0.40 + 3.50)
    assert parts["compute"] == pytest.approx(1e6 * 1769 / 1024 * 0.150 * 0.0000133334)
    assert parts["storage"] == 0
