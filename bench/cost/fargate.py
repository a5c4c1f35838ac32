"""Price imgproxy on AWS Fargate behind an Application Load Balancer, from the number of misses a month.

imgproxy is not measured. Its CPU time is taken to be that of the benchmark's minimal handler with sharp, which calls
the same library, libvips.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.page import Markers
from bench.tables import Table
from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, PriceTable, load_prices

from .example import OURS, THEIRS, read_misses

NAME = "imgproxy on Fargate"
PRICES = Path(__file__).with_name("fargate.toml")
MARKERS = Markers("<!-- priced by `make alarms`, do not edit: Fargate -->", "<!-- end of Fargate -->")

CASE, SHARP = "12 MP JPEG to 800 px WebP", "Node"
"""The case, and the competitor whose CPU time imgproxy's is taken to be."""

TASK_VCPUS, TASK_GB = 1, 2
MIN_TASKS = 2
"""Tasks in two zones, so that one may fail."""

BUSY = 0.6
"""Assumed: share of the tasks' CPU time that their automatic scaling keeps."""

CONNECTIONS_PER_LCU_HOUR = 25 * 3600

MISSES = (1e6, 5e6, 20e6, 100e6)


@dataclass(frozen=True, slots=True)
class FargateMonth:
    """Mean number of tasks, and US dollars a month of tasks, load balancer and reads of masters, by part."""

    tasks: float
    parts: Mapping[str, float]

    @property
    def usd(self) -> float:
        """Return the sum of the parts."""
        return sum(self.parts.values())


def read_cpu_ms(page: str) -> float:
    """Return the CPU ms of a render with sharp from docs/explanation/performance.md. Raises ValueError without."""
    section = page.partition(f"### {CASE}\n")[2]
    row = re.search(rf"^\| {SHARP} \|(.*)\|$", section, re.MULTILINE)
    if row is None:
        raise ValueError(f"The page has no measurement of {SHARP} with {CASE}")
    return float(row[1].split("|")[5])


@dataclass(frozen=True, slots=True)
class TaskRates:
    """US dollars of a month of a task and of the balancer, of a unit of its load (LCU), and of a read of a master.

    ``per_miss`` is the number of tasks that a miss a month needs, ``smallest`` the least number of tasks, and
    ``connections`` those of a unit of load.
    """

    task: float
    balancer: float
    lcu: float
    read: float
    per_miss: float
    smallest: float = MIN_TASKS
    connections: float = CONNECTIONS_PER_LCU_HOUR


def read_task_rates(prices: PriceTable, cpu_ms: float, architecture: str) -> TaskRates:
    """Return the rates by ``fargate.toml`` and the price table."""
    processor = "x86" if architecture == "x86_64" else architecture
    table = {**load_prices(PRICES).prices, **prices.prices}
    vcpu, gigabyte = (table[f"fargate-{processor}-{unit}-hours"].usd_per_unit for unit in ("vcpu", "gb"))
    return TaskRates(
        (TASK_VCPUS * vcpu + TASK_GB * gigabyte) * HOURS_A_MONTH,
        table["alb-hours"].usd_per_unit * HOURS_A_MONTH,
        table["alb-lcu-hours"].usd_per_unit,
        table["s3-gets"].usd_per_unit,
        cpu_ms / 1000 / BUSY / (HOURS_A_MONTH * 3600) / TASK_VCPUS,
    )


def price_month(prices: PriceTable, misses: float, image_kb: float, cpu_ms: float, architecture: str) -> FargateMonth:
    """Price ``misses`` a month of images of ``image_kb``, with as many tasks as that needs."""
    rates = read_task_rates(prices, cpu_ms, architecture)
    tasks = max(rates.smallest, misses * rates.per_miss)
    load = max(misses * image_kb / 1e6, misses / rates.connections)
    requests = rates.balancer + load * rates.lcu + misses * rates.read
    return FargateMonth(tasks, {"compute": tasks * rates.task, "requests": requests})


def format_misses(prices: PriceTable, page: str, image_kb: float, cpu_ms: float) -> str:
    """Return a million misses by the number of misses a month, beside those of ``page``, and the assumptions."""
    known = read_misses(page)
    rows = []
    for misses in MISSES:
        month = price_month(prices, misses, image_kb, cpu_ms, "x86_64")
        others = (known["once"][THEIRS], known["once"][OURS], known["5 times"][OURS])
        usd = [month.usd / misses * 1e6, *others]
        rows.append((f"{misses:,.0f}", f"{month.tasks:.1f}", *(f"{one:.2f}" for one in usd)))
    headings = ("misses a month", "tasks", NAME, THEIRS, f"{OURS}, missed once", f"{OURS}, 5 times")
    table = Table(f"{NAME}: USD for a million misses", headings, rows)
    return f"{table.markdown()}\n\n{describe(cpu_ms)}"


def describe(cpu_ms: float) -> str:
    """Describe assumptions, sources and what is left out."""
    lines = (
        f"{NAME}: tasks of {TASK_VCPUS} vCPU and {TASK_GB} GB (x86), at least {MIN_TASKS}, and an Application Load "
        f"Balancer behind the same CDN; a read of the master for each miss, nothing is stored. The case is {CASE}.",
        f"Derived, not measured: {cpu_ms:.0f} ms of CPU time a render, those of the minimal handler with sharp "
        f"([{SHARP}](performance.md)), as imgproxy calls the same libvips. Assumed: tasks follow the load, and are "
        f"{BUSY:.0%} busy. Left out: public addresses or NAT, logs, the transfer between zones.",
        f"Prices of Fargate and the balancer in us-east-1, on demand, as of {load_prices(PRICES).read_on} "
        "(`bench/cost/fargate.toml`). The month above is priced with arm64.",
    )
    return "\n".join(f"- {line}" for line in lines)
