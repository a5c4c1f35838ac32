"""imgproxy on Fargate has the prices of its file, and its tasks follow from measured CPU time."""

from __future__ import annotations

import pytest

from bench.cost import PAGE
from bench.cost.example import read_misses
from bench.cost.fargate import (
    BUSY,
    MARKERS,
    MIN_TASKS,
    format_misses,
    price_month,
    read_cpu_ms,
)
from bench.cost.inputs import DEFAULTS
from bench.page import PAGE as PERFORMANCE
from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, load_prices

PRICES = load_prices()
TEXT = PAGE.read_text(encoding="utf-8")
CPU_MS = read_cpu_ms(PERFORMANCE.read_text(encoding="utf-8"))
IMAGE_KB = DEFAULTS["image_kb"]

MEASURED = """### 12 MP JPEG to 800 px WebP

|  | cold ms | ratio | warm ms | ratio | billed ms | CPU ms | peak MB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| DIT's calls | 351 | 1.00 | 134 | 1.00 | 135 | 84 | 154 |
| Node | 283 | 0.81 | 118 | 0.91 | 119 | 71 | 148 |
"""


def test_the_page_is_current() -> None:
    shown = TEXT.partition(MARKERS.begin)[2].partition(MARKERS.end)[0]
    assert shown.strip() == format_misses(PRICES, TEXT, IMAGE_KB, CPU_MS), "make alarms"


def test_the_cpu_time_is_that_of_sharp() -> None:
    assert read_cpu_ms(MEASURED) == 71
    with pytest.raises(ValueError, match="no measurement of Node"):
        read_cpu_ms(MEASURED.replace("| Node", "| another"))


def test_tasks_are_two_until_the_load_needs_more() -> None:
    full = HOURS_A_MONTH * 3600 * 1000 / 50 * BUSY
    found = [price_month(PRICES, share * full, 0, 50, "arm64").tasks for share in (0, 1, 1.9, 2.5, 8)]
    assert found == pytest.approx([MIN_TASKS, 2, 2, 2.5, 8])


@pytest.mark.parametrize(("processor", "vcpu", "gb"), [("x86_64", 0.04048, 0.004445), ("arm64", 0.03238, 0.00356)])
def test_a_month_has_tasks_balancer_and_reads(processor: str, vcpu: float, gb: float) -> None:
    idle = price_month(PRICES, 0, IMAGE_KB, CPU_MS, processor)
    assert (idle.tasks, idle.usd) == (2, pytest.approx(730 * (2 * vcpu + 4 * gb + 0.0225)))
    large = price_month(PRICES, 1e6, 100, CPU_MS, processor)
    assert large.usd - idle.usd == pytest.approx(100 * 0.008 + 0.40)
    small = price_month(PRICES, 1e6, 1, CPU_MS, processor)
    assert small.usd - idle.usd == pytest.approx(1e6 / 90_000 * 0.008 + 0.40), "new connections, not bytes"


def test_the_table_has_the_same_misses_of_the_others() -> None:
    rows = [line for line in format_misses(PRICES, TEXT, IMAGE_KB, CPU_MS).splitlines() if line.startswith("| 1")]
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    known = read_misses(TEXT)
    assert cells[:2] == ["1,000,000", "2.0"]
    assert float(cells[2]) == pytest.approx(price_month(PRICES, 1e6, IMAGE_KB, CPU_MS, "x86_64").usd, abs=0.005)
    assert float(cells[3]) == known["once"]["AWS's own"]
    assert [float(cell) for cell in cells[4:]] == [known[times]["Darkroom"] for times in ("once", "5 times")]
