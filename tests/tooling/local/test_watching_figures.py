"""Metrics of the CDN and the endpoint, and data of dashboards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from local.console_api.dashboards import Dashboards, describe_panels, period_of
from local.console_api.publish_metrics import put
from local.console_api.read_metrics import MetricQuery, MetricReader, Series, build_query
from local.console_api.service_metrics import VALUES_PER_DATUM, Metric, ModelCounts, ViewerCounts
from local.sagemaker.runtime import Invocation
from observability.dashboards import DASHBOARDS

NOW_S = 1_790_000_040.0


def by_metric(figures: Iterable[Metric]) -> dict[str, dict[float, int]]:
    return {figure.metric: dict(figure.values) for figure in figures}


def test_metrics_of_cloudfront() -> None:
    viewers = ViewerCounts("E1")
    viewers.note("GET", 200, "Hit from cloudfront", 1.0, 100)
    viewers.note("GET", 200, "RefreshHit from cloudfront", 20.0, 100)
    viewers.note("HEAD", 200, "Miss from cloudfront", 81.23456, 0)
    viewers.note("GET", 404, "Error from cloudfront", 5.0, 10)
    viewers.note("GET", 503, "Error from cloudfront", 5.0, 10)
    viewers.note("POST", 200, "Miss from cloudfront", 7.0, 10)
    viewers.note("GET", 200, "FunctionGeneratedResponse from cloudfront", 1.0, 10)
    drained = viewers.drain()
    assert by_metric(drained) == {
        "Requests": {1.0: 7},
        "BytesDownloaded": {100.0: 2, 0.0: 1, 10.0: 4},
        "4xxErrorRate": {0.0: 6, 100.0: 1},
        "5xxErrorRate": {0.0: 6, 100.0: 1},
        "TotalErrorRate": {0.0: 5, 100.0: 2},
        "CacheHitRate": {100.0: 2, 0.0: 1},
        "OriginLatency": {81.23: 1, 7.0: 1},
    }
    assert {(one.namespace, *one.dimensions.items()) for one in drained} == {
        ("AWS/CloudFront", ("DistributionId", "E1"), ("Region", "Global"))
    }
    assert viewers.drain() == []


def test_metrics_of_sagemaker() -> None:
    models = ModelCounts()
    for variant, status in (("main", 200), ("main", 424), ("canary", 503)):
        models.note(Invocation("darkroom", variant, status, 0.25))
    found = {(one.metric, one.dimensions["VariantName"]): dict(one.values) for one in models.drain()}
    assert found["Invocations", "main"] == {1.0: 2}
    assert found["Invocation4XXErrors", "main"] == {0.0: 1, 1.0: 1}
    assert found["Invocation5XXErrors", "canary"] == {1.0: 1}
    assert found["ModelLatency", "main"] == {250_000.0: 2}


def test_data_are_split_by_the_limits_of_cloudwatch() -> None:
    requests: list[Any] = []
    client = SimpleNamespace(put_metric_data=lambda **request: requests.append(request))
    many = Metric("A", "m", "None", {"a": "b"}, {float(number): 1 for number in range(VALUES_PER_DATUM + 1)})
    put(client, [many, Metric("B", "n", "Count", {}, {1.0: 3})])
    assert [one["Namespace"] for one in requests] == ["A", "B"]
    first, second = requests[0]["MetricData"]
    assert (len(first["Values"]), len(second["Values"])) == (VALUES_PER_DATUM, 1)
    assert requests[1]["MetricData"] == [
        {"MetricName": "n", "Dimensions": [], "Unit": "Count", "Values": [1.0], "Counts": [3]}
    ]


class Known:
    """Metrics set by a test."""

    def __init__(self, points: Mapping[MetricQuery, Series], named: Iterable[Mapping[str, str]] = ()) -> None:
        self._points = points
        self._named = named

    def read_minutes(self, requests: Mapping[MetricQuery, float], now_s: float) -> dict[MetricQuery, Series]:
        return {one: self._points.get(one, {}) for one in requests}

    def list_dimensions(self, namespace: str, metric: str) -> Iterable[dict[str, str]]:
        return [dict(one) for one in self._named]


def shown(name: str, known: Known, span_s: float = 3600) -> dict[str, Any]:
    tokens = {"namespace": "Darkroom/x", "stack": "x", "TransformFunction": "x-Transform-1", "IngestFunction": "x-I-1"}
    tokens |= {"variant": "main"}
    boards: Any = Dashboards(known, tokens, {"x-Transform-1": "transform"})  # type: ignore[arg-type]
    return dict(boards.data(name, span_s, NOW_S)["panels"])


def lines(panel: dict[str, Any]) -> dict[str, list[tuple[int, float]]]:
    found = {one["label"]: [tuple(at) for at in one["points"] if at[1] is not None] for one in panel["series"]}
    return {label: points for label, points in found.items() if points}


def test_every_dashboard_has_each_of_its_panels_and_points_for_its_whole_span() -> None:
    assert shown("on-call", Known({})).keys() == {panel.id for panel in DASHBOARDS[1].panels}
    [p95, _] = shown("on-call", Known({}))["latency"]["series"]
    assert [at for at, _ in p95["points"]] == list(range(1_789_996_500, 1_790_000_041, 60))
    assert {value for _, value in p95["points"]} == {None}
    dashboards = describe_panels()
    assert [one["name"] for one in dashboards] == ["executive", "on-call", "debug"]
    assert all(panel["kind"] and panel["about"] for one in dashboards for panel in one["panels"])


def test_a_formula_uses_hidden_metrics() -> None:
    of = {"service": "transform", "function": "transform"}
    requests = build_query("Darkroom/x", "Requests", of, "Sum")
    rate = shown("on-call", Known({requests: {1_789_999_980: 120.0}}))["rate"]
    assert lines(rate) == {"transform": [(1_789_999_980, 2.0)]}


def test_fixed_and_variable_costs_are_apart() -> None:
    """Ten images an hour beside an endpoint: 77 USD per thousand, of which a thousand more images cost 1."""
    of = {"service": "monitor", "function": "monitor"}
    parts = {"compute": 0.006, "requests": 0.004, "storage": 0.0, "monitoring": 0.02, "endpoint": 0.74}
    total = sum(parts.values())
    at = 1_789_999_980
    known = {
        build_query("Darkroom/x", "CostPerHour", of | {"part": one}, "Average"): {at: usd} for one, usd in parts.items()
    }
    known |= {
        build_query("Darkroom/x", "CostPerHour", of, "Average"): {at: total},
        build_query("Darkroom/x", "CostPerImage", of, "Average"): {at: total / 10},
    }
    board = shown("executive", Known(known))
    [variable] = lines(board["cost"]).values()
    assert variable == [(at, pytest.approx(1.0))]
    fixed = {label: points[0][1] for label, points in lines(board["fixed-cost"]).items()}
    assert fixed == {"endpoint": pytest.approx(540.2), "monitoring": pytest.approx(14.6), "storage": 0.0}


def test_a_number_covers_its_whole_window() -> None:
    of = {"service": "transform", "function": "transform"}
    known = {
        build_query("Darkroom/x", "Requests", of, "Sum"): {1_789_990_020: 1.0, 1_789_999_980: 99.0},
        build_query("Darkroom/x", "Faults", of, "Sum"): {1_789_990_020: 1.0},
    }
    success = shown("executive", Known(known))["success"]
    assert success["value"] == pytest.approx(99.0)
    assert [value for _, value in lines(success)["success"]] == [0.0, 100.0]


def test_a_number_without_data_is_none() -> None:
    assert shown("executive", Known({}))["success"]["value"] is None


def test_a_split_metric_has_a_line_per_value_and_adds_equal_labels() -> None:
    of = [
        {"service": "transform", "function": "transform", "code": "damaged"},
        {"service": "ingest", "function": "ingest", "code": "damaged"},
        {"service": "ingest", "function": "ingest", "code": "too-large"},
        {"service": "ingest", "function": "ingest"},
    ]
    known = Known({build_query("Darkroom/x", "Errors", one, "Sum"): {1_789_999_980: 2.0} for one in of}, of)
    found = lines(shown("on-call", known)["errors"])
    assert found == {"damaged": [(1_789_999_980, 4.0)], "too-large": [(1_789_999_980, 2.0)]}


def test_the_table_of_memory_is_by_function() -> None:
    of = {"function_name": "x-Transform-1"}
    known = Known({build_query("LambdaInsights", "used_memory_max", of, "Maximum"): {1_789_999_980: 250.0}}, [of])
    assert lines(shown("debug", known)["memory"]) == {"transform": [(1_789_999_980, 250.0)]}


@pytest.mark.parametrize(
    ("span_s", "period_s"),
    [(3600, 60), (3 * 3600, 60), (3 * 3600 + 1, 300), (86_400, 300), (172_800, 3600), (1e6, 21_600)],
)
def test_long_charts_have_long_periods(span_s: float, period_s: int) -> None:
    assert period_of(span_s) == period_s


def test_a_trend_has_a_point_a_week_whatever_the_chosen_span() -> None:
    of = {"service": "monitor", "function": "monitor", "task": "faces", "variant": "main"}
    week_s = 7 * 86_400
    this = int(NOW_S // week_s) * week_s
    recall = build_query("Darkroom/x", "Recall", of, "Average")
    known = Known({recall: {this - week_s: 90.0, this - 60: 94.0, this: 80.0}}, [of])
    [accuracy] = lines(shown("executive", known, 3600)["accuracy"]).values()
    assert accuracy == [(this - week_s, 92.0), (this, 80.0)]


def test_an_unknown_dashboard() -> None:
    boards: Any = Dashboards(Known({}), {}, {})  # type: ignore[arg-type]
    assert boards.data("none", 60, NOW_S) is None


class Client:
    """CloudWatch with one point a minute, which records its requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, int]] = []

    def get_metric_data(self, **requests: Any) -> dict[str, Any]:
        begin, end = requests["StartTime"], requests["EndTime"]
        self.asked.append((begin.timestamp(), len(requests["MetricDataQueries"])))
        minutes = range(int(begin.timestamp()), int(end.timestamp()) + 1, 60)
        times = [datetime.fromtimestamp(at, UTC) for at in minutes]
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Timestamps": times, "Values": [1.0] * len(times)}
                for query in requests["MetricDataQueries"]
            ]
        }


def test_cached_points_are_not_read_again() -> None:
    client, one = Client(), build_query("n", "m", {}, "Sum")
    figures = MetricReader(client)
    first = figures.read_minutes({one: NOW_S - 3600}, NOW_S)[one]
    later = figures.read_minutes({one: NOW_S - 3600}, NOW_S + 60)[one]
    assert [begin for begin, _ in client.asked] == [NOW_S - 3600, NOW_S - 240]
    assert (len(first), len(later), max(later)) == (61, 62, NOW_S + 60)


def test_an_earlier_start_is_read() -> None:
    client, one = Client(), build_query("n", "m", {}, "Sum")
    figures = MetricReader(client)
    figures.read_minutes({one: NOW_S - 600}, NOW_S)
    assert len(figures.read_minutes({one: NOW_S - 7200}, NOW_S)[one]) == 121
    assert len(figures.read_minutes({one: NOW_S - 600}, NOW_S)[one]) == 12
