"""Hourly cost: each part calculated by hand from the same price table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from darkroom_pipeline.operations.cost_check import (
    PER_MISS,
    PER_RENDER,
    PER_UPLOAD,
    CostCheck,
    RunCounter,
    parse_amounts,
)
from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, load_prices
from tests.component.services.emf_metrics import Counted, counted, of

from .environment import MonitorEnvironment

PRICES = load_prices()


def usd(name: str, amount: float) -> float:
    return amount * PRICES.prices[name].usd_per_unit


def look(
    stack: MonitorEnvironment,
    capsys: pytest.CaptureFixture[str],
    instance_type: str = "",
    machines: int = 0,
    **more: Any,
) -> Counted:
    observer = stack.observer
    buckets = [stack.env.names["media"], stack.env.names["uploads"]]
    asked = (lambda: machines) if instance_type else None
    watch = CostCheck(stack.reader, PRICES, "arm64", buckets, observer, instance_type, asked, **more)
    watch.run(stack.now_s)
    observer.flush()
    return counted(capsys.readouterr().out)


def parts_of(stack: MonitorEnvironment, **more: Any) -> dict[str, float]:
    """The cost of the hour by part, as the log has it."""
    buckets = [stack.env.names["media"], stack.env.names["uploads"]]
    found: Any = CostCheck(stack.reader, PRICES, "arm64", buckets, stack.observer, **more).run(stack.now_s)
    return dict(found["usd_per_hour"])


def near(expected: float) -> Any:
    """The log has nine decimals."""
    return pytest.approx(expected, abs=1e-9)


def test_compute_is_time_by_memory(stack: MonitorEnvironment) -> None:
    for function, spent_ms, invocations in (("transform", 120_000, 1000), ("ingest", 60_000, 20)):
        stack.of_lambda(function, "Duration", spent_ms)
        stack.of_lambda(function, "Invocations", invocations)
    parts = parts_of(stack)
    gb_s = 120 * 1769 / 1024 + 60 * 3008 / 1024
    assert parts["compute"] == near(usd("lambda-arm64-gb-seconds", gb_s))
    assert parts["requests"] == near(usd("lambda-requests", 1020))


@pytest.mark.slow
def test_an_image_costs_its_share_of_the_hour(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    stack.of_cdn("Requests", {1: 4000, 59: 1000, 61: 10**9})
    stack.of_cdn("BytesDownloaded", 2e9)
    figures = look(stack, capsys)
    expected = usd("cdn-requests", 5000) + usd("cdn-functions", 10_000) + usd("cdn-gb", 2)
    assert of(figures, "CostPerHour")[""] == pytest.approx(expected)
    assert of(figures, "CostPerImage")[""] == pytest.approx(expected / 5000)


def test_without_viewers_there_is_no_cost_of_an_image(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = look(stack, capsys)
    assert of(figures, "CostPerHour") == {"": 0}, "parts are published for hours with work alone"
    assert of(figures, "CostPerImage") == {}


def test_each_kind_of_work_asks_other_services(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    stack.own("transform", "Rendered", 10)
    stack.own("transform", "Rendered", 10, format="webp")  # the same ones, by format
    stack.own("transform", "Requests", 30)
    stack.own("ingest", "Requests", 7)
    expected = sum(
        usd(name, count * amount)
        for amounts, count in ((PER_RENDER, 10), (PER_MISS, 30), (PER_UPLOAD, 7))
        for name, amount in amounts.items()
    )
    assert of(look(stack, capsys), "CostPerHour")["requests"] == pytest.approx(expected)


def test_storage_is_the_newest_daily_count(stack: MonitorEnvironment) -> None:
    dimensions = {"BucketName": stack.env.names["media"], "StorageType": "StandardStorage"}
    stack.put_metric("AWS/S3", "BucketSizeBytes", dimensions, {2 * 1440: 1e12, 1440: 7.3e11})
    parts = parts_of(stack)
    assert parts["storage"] == near(usd("s3-gb-months", 730 / HOURS_A_MONTH))


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("instance_type", "expected"), [("ml.g4dn.xlarge", 3 * 0.7364), ("ml.c7i.4xlarge", 3 * 0.8568), ("", 0)]
)
def test_machines_of_the_endpoint_cost_by_the_hour(
    stack: MonitorEnvironment, instance_type: str, expected: float
) -> None:
    asked = (lambda: 3) if instance_type else None
    assert parts_of(stack, instance_type=instance_type, instance_count=asked)["endpoint"] == near(expected)


def test_a_serverless_endpoint_costs_what_its_calls_take(stack: MonitorEnvironment) -> None:
    dimensions = {"EndpointName": "models", "VariantName": "main"}
    stack.put_metric("AWS/SageMaker", "ModelLatency", dimensions, {50: 90e6, 10: 30e6})
    serverless = {"endpoint": "models", "instance_type": "serverless", "instance_count": lambda: 0}
    assert parts_of(stack, **serverless)["endpoint"] == near(120 * 0.00008)


@pytest.mark.parametrize(
    "unknown", [{"instance_type": "ml.unheard-of.xlarge", "machines": 1}, {"monthly": {"unheard-of-months": 1.0}}]
)
def test_without_a_price_there_is_no_total(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str], unknown: dict[str, Any]
) -> None:
    """It would lack most of the cost, and look cheap."""
    stack.of_cdn("Requests", 1000)
    figures = look(stack, capsys, **unknown)
    expected = usd("cdn-requests", 1000) + usd("cdn-functions", 2000)
    assert of(figures, "CostPerHour")["requests"] == pytest.approx(expected)
    assert "" not in of(figures, "CostPerHour")
    assert of(figures, "CostPerImage") == {}


def test_the_monitor_itself_is_in_the_bill(stack: MonitorEnvironment) -> None:
    stack.of_lambda("monitor", "Duration", 12_000)
    stack.of_lambda("monitor", "Invocations", 12)
    parts = parts_of(stack)
    assert parts["compute"] == near(usd("lambda-arm64-gb-seconds", 12 * 0.5))


def test_idle_queues_are_polled(stack: MonitorEnvironment) -> None:
    names = [f"stage-{stack.number}-ingest", f"stage-{stack.number}-purge"]
    for name in names:
        stack.put_metric("AWS/SQS", "NumberOfEmptyReceives", {"QueueName": name}, {1: 450, 59: 450, 61: 10**9})
    parts = parts_of(stack, queues=names)
    assert parts["requests"] == near(usd("sqs-requests", 1800))


def test_what_is_charged_by_the_month_is_charged_when_idle(stack: MonitorEnvironment) -> None:
    monthly = parse_amounts("secret-months=1,alarm-metric-months=81,composite-alarm-months=7,cdn-metric-months=8")
    parts = parts_of(stack, monthly=monthly)
    assert parts["storage"] == near(0.40 / HOURS_A_MONTH)
    assert parts["monitoring"] == near((8.10 + 3.50 + 2.40) / HOURS_A_MONTH)


@pytest.mark.slow
def test_custom_metrics_and_the_reading_of_metrics_are_in_the_bill(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.own("transform", "Requests", 3)
    stack.own("transform", "Errors", 3, code="source-missing")
    stack.own("transform", "Errors", 3, code="bad-option")
    stack.of_lambda("monitor", "Invocations", 12)
    reader = stack.reader
    counter = RunCounter()
    watch = CostCheck(reader, PRICES, "arm64", [], stack.observer, counter=counter)
    watch.run(stack.now_s)
    expected = usd("custom-metric-months", 3 / HOURS_A_MONTH)
    for run in (1, 2):
        counter.runs = run + 1
        observer = stack.observer
        found = replace(watch, observer=observer).run(stack.now_s)
        assert found
        observer.flush()
        parts = of(counted(capsys.readouterr().out), "CostPerHour")
        each = reader.metrics.requested + reader.global_metrics.requested
        assert parts["monitoring"] == pytest.approx(expected + usd("metrics-requested", 12 * each / (run + 1)), rel=0.1)


@pytest.mark.parametrize("text", ["alarm-metric-months", "a=b", "a=1;b=2"])
def test_amounts_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        parse_amounts(text)
