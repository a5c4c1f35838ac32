"""The cost of a stack's month: metrics times prices, and what has no data is missing."""

from __future__ import annotations

from typing import Any

import pytest

from cli.cost.bill import Bill, format_bill, price
from cli.cost.usage import BilledFunction, Period, Resources, add_up, list_sources
from darkroom_pipeline.operations.cloudwatch import Points
from darkroom_pipeline.operations.cost_check import PER_MISS, PER_RENDER, PER_UPLOAD
from darkroom_pipeline.operations.cost_model import (
    EDGE_FUNCTIONS,
    HOURS_A_MONTH,
    Amounts,
    endpoint_amounts,
    function_amounts,
    load_prices,
    serverless_amounts,
    sum_amounts,
)

PRICES = load_prices()
DAY_S = 86_400
PERIOD = Period(0, 10 * DAY_S, 30 * DAY_S)
RENDERER = BilledFunction("transform", "t", 1769, "arm64", "/logs/t")
INGEST = BilledFunction("ingest", "i", 3008, "x86_64", "/logs/i")


def calculate(resources: Resources, *data: tuple[str, str, list[float]]) -> Bill:
    """The bill with values by day of metrics, each by its name and the value of one dimension."""
    sources = list(list_sources(resources))
    points: list[Points] = [[] for _ in sources]
    for metric, dimension, values in data:
        found = [
            number
            for number, one in enumerate(sources)
            if one.metric.metric == metric and dimension in one.metric.dimensions.values()
        ]
        assert found, f"the command does not read {metric} of {dimension}"
        for number in found:
            points[number] = [(day * DAY_S, value) for day, value in enumerate(values)]
    return price(add_up(sources, points, resources.monthly, PERIOD), PRICES, PERIOD)


def usd(amounts: Amounts) -> Any:
    return pytest.approx(sum(PRICES.cost(amounts).values()))


def test_use_is_multiplied_by_prices_and_extrapolated() -> None:
    stack = Resources("Darkroom/shop", functions=[RENDERER], distributions=["D"])
    bill = calculate(
        stack,
        ("Duration", "t", [60_000, 40_000]),
        ("Invocations", "t", [600, 400]),
        ("Requests", "D", [1e6, 2e6]),
        ("BytesDownloaded", "D", [5e9]),
        ("IncomingBytes", "/logs/t", [2e9]),
        ("Rendered", "transform", [50]),
        ("Requests", "transform", [80]),
    )
    found = {one.line: one for one in bill.lines}
    assert found["Lambda: images"].usd == usd(function_amounts(1769, 100_000, 1000))
    assert found["CloudFront: requests"].usd == usd({"cdn-requests": 3e6, "cdn-functions": EDGE_FUNCTIONS * 3e6})
    assert found["CloudFront: bytes"].usd == usd({"cdn-gb": 5})
    assert found["CloudWatch: logs"].usd == usd({"log-gb": 2})
    times = {name: 50 * amount for name, amount in PER_RENDER.items()}
    reads = {name: 80 * amount for name, amount in PER_MISS.items()}
    assert found["S3: requests (estimated)"].usd == usd(sum_amounts(times, reads))
    assert bill.usd == pytest.approx(sum(one.usd or 0 for one in bill.lines))
    assert bill.month_usd == pytest.approx(3 * bill.usd)
    assert [one.line for one in bill.lines] == sorted(found)


def test_uploads_write_their_presets() -> None:
    stack = Resources("Darkroom/shop", functions=[INGEST], presets=6)
    found = {one.line: one for one in calculate(stack, ("Requests", "ingest", [10])).lines}
    assert found["S3: requests (estimated)"].amounts["s3-puts"] == 10 * (PER_UPLOAD["s3-puts"] + 6)
    assert found["EventBridge (estimated)"].usd == usd({"events": 10})


def test_storage_counts_by_its_average_over_the_time() -> None:
    bill = calculate(Resources("n", buckets=["m", "u"]), ("BucketSizeBytes", "m", [1e12, 3e12]))
    [line] = bill.lines
    months = 240 / HOURS_A_MONTH
    assert line.usd == usd({"s3-gb-months": 2 * 2000 * months}), "both storage classes have this size here"
    assert line.missing == ("u",)


def test_tables_and_their_indexes_and_queues_count() -> None:
    stack = Resources("n", tables={"index": ["by-sha256"]}, queues=["q"])
    bill = calculate(
        stack,
        ("ConsumedWriteCapacityUnits", "by-sha256", [5]),
        *((f"NumberOf{name}", "q", [100]) for name in ("MessagesSent", "MessagesReceived", "EmptyReceives")),
    )
    found = {one.line: one for one in bill.lines}
    assert found["DynamoDB: writes"].amounts == {"dynamodb-writes": 5}
    assert found["DynamoDB: writes"].missing == ("index",)
    assert (found["DynamoDB: reads"].usd, found["DynamoDB: reads"].missing) == (None, ("index", "index/by-sha256"))
    assert found["SQS (by messages)"].amounts == {"sqs-requests": 300}


def test_what_has_no_data_is_missing_and_not_free() -> None:
    bill = calculate(Resources("n", functions=[RENDERER, INGEST], monthly={"CloudWatch: alarms": None}))
    assert {one.usd for one in bill.lines} == {None}
    assert bill.usd == 0
    lines = list(format_bill(bill))
    assert lines[1].split() == ["CloudWatch:", "alarms", "missing", "missing"]
    assert "no data of transform, ingest" in lines[2]
    assert any(line.startswith("The sums are without CloudWatch: alarms, ") for line in lines)


def test_a_zero_is_no_missing_value() -> None:
    bill = calculate(Resources("n", functions=[RENDERER]), ("Duration", "t", [0.0]), ("Invocations", "t", [0.0]))
    [images] = [one for one in bill.lines if one.line == "Lambda: images"]
    assert (images.usd, images.missing) == (0, ())


def test_fixed_amounts_are_in_proportion_to_the_time() -> None:
    monthly: dict[str, Amounts | None] = {
        "instances": endpoint_amounts("ml.g4dn.xlarge", 2, HOURS_A_MONTH),
        "other": endpoint_amounts("ml.p9.large", 1, HOURS_A_MONTH),
    }
    instances, other = calculate(Resources("n", monthly=monthly)).lines
    assert instances.usd == usd(endpoint_amounts("ml.g4dn.xlarge", 2, 240))
    assert instances.month_usd == usd(endpoint_amounts("ml.g4dn.xlarge", 2, 720))
    assert (other.usd, other.missing) == (None, ("price of endpoint-hours-ml-p9-large",))


def test_a_serverless_endpoint_costs_what_its_calls_take() -> None:
    [line] = calculate(Resources("n", serverless="models"), ("ModelLatency", "models", [90e6])).lines
    assert line.usd == usd(serverless_amounts(90))


def test_the_text_names_the_time_the_prices_and_what_is_left_out() -> None:
    bill = calculate(Resources("n", monthly={"keys": {"secret-months": 1}}))
    *_, when, left_out = format_bill(bill)
    assert when.startswith("From 1970-01-01T00:00+00:00 to 1970-01-11T00:00+00:00, and at this pace until 1970-01-31")
    assert str(PRICES.read_on) in when
    assert "free tiers, discounts and flat-rate plans" in left_out
    assert not any("rough" in line for line in format_bill(bill))
    young = price([], PRICES, Period(0, 3600, DAY_S))
    assert any("rough" in line for line in format_bill(Bill(young.period, bill.lines, PRICES)))
