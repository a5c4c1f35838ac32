"""Patches of MiniStack: embedded metrics, queue gauges, and traces of invocations and messages."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulation.emf import Datum, read_data
from local.emulation.logs import drop_oldest, log_group_name
from local.emulation.metrics import MAX_AGE_S, Metrics, compact, count_invocations, measure_depths, read_peak_memory_mb
from local.emulation.tracing import build_header, build_segment, parse_header, pass_on_traces, trace_invocations

AT_MS = 1_790_000_000_123


def document(directives: list[dict[str, Any]], **values: Any) -> str:
    return json.dumps({"_aws": {"Timestamp": AT_MS, "CloudWatchMetrics": directives}, **values})


def test_a_metric_is_counted_under_each_set_of_dimensions() -> None:
    directive = {
        "Namespace": "Darkroom/x",
        "Dimensions": [["service"], ["service", "format"]],
        "Metrics": [{"Name": "Rendered", "Unit": "Count"}],
    }
    log = f"START\n{document([directive], service='transform', format='webp', Rendered=[1.0, 2])}\nEND"
    at_s, name = AT_MS / 1000, ("Darkroom/x", "Rendered", "Count")
    assert list(read_data(log)) == [
        Datum(*name, {"service": "transform"}, (1.0, 2.0), at_s),
        Datum(*name, {"service": "transform", "format": "webp"}, (1.0, 2.0), at_s),
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"_aws": 1}',
        '{"_aws": {"Timestamp": "soon", "CloudWatchMetrics": []}}',
        '"_aws" {',
        '{"message": "Requests"}',
        document([{"Namespace": "n", "Dimensions": [["missing"]], "Metrics": [{"Name": "A"}]}], A=1),
        document([{"Namespace": "n", "Dimensions": [[]], "Metrics": [{"Name": "A"}]}], A="1"),
        document([{"Namespace": "n", "Dimensions": [[]], "Metrics": [{"Name": "A"}]}], A=True),
    ],
)
def test_other_lines_are_ignored(line: str) -> None:
    assert list(read_data(line)) == []


def test_a_metric_without_a_unit_or_dimensions_has_none() -> None:
    (found,) = read_data(document([{"Namespace": "n", "Dimensions": [], "Metrics": [{"Name": "A"}]}], A=3))
    assert (found.unit, found.dimensions, found.values) == ("None", {}, (3.0,))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 7000)), max_size=60))
def test_merged_points_keep_count_and_approximate_sum(points_in: list[tuple[float, int]]) -> None:
    now_s = 2_000_000_000.0
    points = [{"Timestamp": now_s - age_s, "Value": value} for value, age_s in points_in]
    kept = compact(points, now_s)
    assert sum(point.get("Count", 1.0) for point in kept) == len(points)
    total = sum(point["Value"] * point.get("Count", 1.0) for point in kept)
    assert total == pytest.approx(sum(value for value, _ in points_in), rel=0.006)
    assert compact(kept, now_s) == kept


def test_old_points_are_merged_and_expired_ones_dropped() -> None:
    now_s = 2_000_000_000.0
    ages = (MAX_AGE_S + 1, 3600, 3601, 30, 31)
    kept = compact([{"Timestamp": now_s - age_s, "Value": 1.0} for age_s in ages], now_s)
    assert [(now_s - point["Timestamp"], point.get("Count", 1.0)) for point in kept] == [
        (3600, 2.0),
        (30, 1.0),
        (31, 1.0),
    ]


class CloudWatch(SimpleNamespace):
    """The patched parts of MiniStack's store."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[Any]] = defaultdict(list)
        super().__init__(_metrics={}, record_metric=None, _evict_old_metrics=None)

    def _store_datum(self, namespace: str, name: str, dimensions: dict[str, str], *rest: Any) -> None:
        self.stored[namespace, name, tuple(sorted(dimensions.items()))].append(rest)


def test_every_invocation_is_counted_once() -> None:
    cloudwatch = CloudWatch()
    service = SimpleNamespace(
        _execute_function_dispatch=lambda *_: {"error": True},
        executions_in_flight=lambda: (3, {"f": 2}),
        _inflight_key=lambda config: config["FunctionName"],
    )
    count_invocations(service, Metrics(cloudwatch))
    service._execute_function_dispatch({}, {"FunctionName": "f"}, {}, "id", time.time())
    service._emit_lambda_metrics("f", duration_ms=12.0, error=True, throttle=False)
    service._emit_lambda_metrics("f", duration_ms=0.0, error=False, throttle=True)
    service._emit_lambda_metrics("f", duration_ms=3.0, error=False, throttle=True)
    of = (("FunctionName", "f"),)
    values = {
        name: [rest[2] for rest in points_in]
        for (_, name, where), points_in in cloudwatch.stored.items()
        if where == of
    }
    assert (values["Invocations"], values["Errors"], values["Throttles"]) == ([1], [1], [0, 1])
    assert values["ConcurrentExecutions"] == [2]
    assert len(values["Duration"]) == 1


def test_gauges_of_a_queue() -> None:
    queue = {
        "attributes": {
            "ApproximateNumberOfMessages": "3",
            "ApproximateNumberOfMessagesNotVisible": "2",
            "ApproximateNumberOfMessagesDelayed": "1",
        },
        "messages": [{"sent_at": 90.0}, {"sent_at": 80.0, "enqueued_at": 95.0}],
    }
    assert {name: value for name, _, value in measure_depths(queue, 100.0)} == {
        "ApproximateNumberOfMessagesVisible": 3.0,
        "ApproximateNumberOfMessagesNotVisible": 2.0,
        "ApproximateNumberOfMessagesDelayed": 1.0,
        "ApproximateAgeOfOldestMessage": 10.0,
    }
    assert (
        dict.fromkeys(["ApproximateAgeOfOldestMessage"], 0.0).items()
        <= {name: value for name, _, value in measure_depths({"attributes": {}, "messages": []}, 100.0)}.items()
    )


def test_peak_memory_of_a_process() -> None:
    assert read_peak_memory_mb(os.getpid()) > 10
    assert read_peak_memory_mb(0) == 0


@pytest.mark.parametrize(
    ("config", "group"),
    [
        ({"FunctionName": "f"}, "/aws/lambda/f"),
        ({"FunctionName": "f", "LoggingConfig": {"LogFormat": "JSON"}}, "/aws/lambda/f"),
        ({"FunctionName": "f", "LoggingConfig": {"LogGroup": "/own"}}, "/own"),
    ],
)
def test_the_log_group_of_a_function(config: dict[str, Any], group: str) -> None:
    assert log_group_name(config) == group


def test_an_invocation_continues_its_requests_trace() -> None:
    config = {"TracingConfig": {"Mode": "Active"}}
    points_in = parse_header(build_header(config, {"headers": {"x-amzn-trace-id": "Root=1-0000aaaa-1"}}))
    assert (points_in["Root"], points_in["Sampled"], len(points_in["Parent"])) == ("1-0000aaaa-1", "1", 16)
    for event in ({"Records": []}, [], "text", {"headers": None}):
        fresh = parse_header(build_header({}, event))
        assert fresh["Sampled"] == "0"
        assert [len(part) for part in fresh["Root"].split("-")] == [1, 8, 24]


@pytest.mark.parametrize(("mode", "sent"), [("Active", 1), ("PassThrough", 0)])
def test_a_function_receives_the_trace_of_its_segment(mode: str, sent: int) -> None:
    seen: list[str | None] = []
    documents: list[dict[str, Any]] = []
    service = SimpleNamespace(
        _execute_function_dispatch=lambda *_: seen.append(service._xray_trace_id_for_invocation({})) or {"error": True}
    )
    trace_invocations(service, documents.append)
    config = {"FunctionName": "f", "FunctionArn": "arn", "TracingConfig": {"Mode": mode}}
    service._execute_function_dispatch({}, config, {}, "request", 5.0)
    assert service._xray_trace_id_for_invocation({}) is None
    assert len(documents) == sent
    for document in documents:
        points_in = parse_header(seen[0] or "")
        assert (document["trace_id"], document["id"]) == (points_in["Root"], points_in["Parent"])
        assert (document["start_time"], document["fault"]) == (5.0, True)


def test_a_segment_of_a_success_has_no_fault() -> None:
    assert "fault" not in build_segment({}, "Root=r;Parent=p;Sampled=1", "id", 1.0, failed=False)


def test_an_events_trace_reaches_only_its_message() -> None:
    messages: list[dict[str, Any]] = []

    def put(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        for entry in data["Entries"]:
            messages.append({"body": entry["Detail"], "sys": {}})
            sqs._ensure_msg_fields(messages[-1])
        points_in = {"FailedEntryCount": 0, "Entries": [{"EventId": entry["Detail"]} for entry in data["Entries"]]}
        return 200, {}, json.dumps(points_in).encode()

    sqs, events = SimpleNamespace(_ensure_msg_fields=lambda message: None), SimpleNamespace(_put_events=put)
    pass_on_traces(events, sqs)
    _, _, body = events._put_events({"Entries": [{"Detail": "a", "TraceHeader": "Root=1"}, {"Detail": "b"}]})
    assert [message["sys"] for message in messages] == [{"AWSTraceHeader": "Root=1"}, {}]
    assert json.loads(body) == {"FailedEntryCount": 0, "Entries": [{"EventId": "a"}, {"EventId": "b"}]}


def test_streams_are_bounded() -> None:
    streams = {str(number): number for number in range(12)}
    drop_oldest(streams, max_streams=12, at_once=5)
    assert len(streams) == 12
    streams["12"] = 12
    drop_oldest(streams, max_streams=12, at_once=5)
    assert list(streams) == [str(number) for number in range(5, 13)]


def test_no_point_is_lost_between_threads() -> None:
    cloudwatch = CloudWatch()
    key = ("n", "m", ())
    cloudwatch._metrics[key] = []
    cloudwatch._store_datum = lambda *_: cloudwatch._metrics[key].append({"Timestamp": time.time(), "Value": 1.0})
    metrics = Metrics(cloudwatch)

    def write() -> None:
        for _ in range(500):
            metrics.record("n", "m", 1.0)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        metrics._compacted_s = 0.0
        metrics.compact()
    for thread in threads:
        thread.join()
    assert sum(point.get("Count", 1.0) for point in cloudwatch._metrics[key]) == 2000
