"""Traces: documents in datagrams, built into trees, and searched."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.console_api.traces import MAX_DOCUMENTS, Traces
from local.console_api.xray_daemon import open_daemon
from local.emulation.tracing import PREAMBLE, make_sender
from tests.waiting import wait_until_async

ROOT = "1-6b0716ff-788b30a2f7c087b7858fd052"


def datagram(**document: Any) -> bytes:
    return PREAMBLE + json.dumps({"trace_id": ROOT, **document}).encode()


def segment(name: str = "transform", number: str = "a", start: float = 10.0, end: float = 12.0, **more: Any) -> bytes:
    return datagram(name=name, id=number, start_time=start, end_time=end, **more)


def stage(name: str, number: str, parent: str, start: float, end: float, **more: Any) -> bytes:
    return segment(name, number, start, end, type="subsegment", parent_id=parent, **more)


def tree(*datagrams: bytes) -> Any:
    traces = Traces()
    for one in datagrams:
        traces.add_datagram(one)
    return traces.tree(ROOT)


def outline(segments: list[dict[str, Any]]) -> list[Any]:
    return [[one["name"], *([outline(one["children"])] if one["children"] else [])] for one in segments]


DOCUMENTS = (
    segment(),
    stage(
        "answer", "b", "a", 10.5, 11.5, subsegments=[{"name": "parse", "id": "c", "start_time": 10.6, "end_time": 10.7}]
    ),
    stage("fetch", "d", "b", 10.7, 11.0),
    segment("infer", "e", 12.5, 14.0, parent_id="d"),
    stage("lost", "f", "missing", 13.0, 13.5),
)


@given(st.permutations(DOCUMENTS))
def test_the_tree_does_not_depend_on_the_order_of_documents(documents: list[bytes]) -> None:
    found = tree(*documents)
    assert outline(found["segments"]) == [
        ["transform", [["answer", [["parse"], ["fetch", [["infer"]]]]]]],
        ["lost"],
    ]
    assert (found["started_s"], found["duration_ms"]) == (10.0, 4000.0)


def test_segments_have_relative_times_and_kinds() -> None:
    [root] = tree(
        segment(),
        stage("fetch", "b", "a", 10.25, 10.75, namespace="aws", aws={"operation": "GetObject", "retries": 0}),
        stage("endpoint", "c", "a", 11, 12, namespace="remote"),
        stage("decode", "d", "a", 11, 12, metadata={"darkroom": {"key": "a.jpg"}}, annotations={"format": "webp"}),
    )["segments"]
    fetch, endpoint, decode = root["children"]
    assert (root["kind"], fetch["kind"], endpoint["kind"], decode["kind"]) == ("function", "aws", "remote", "stage")
    assert (fetch["start_ms"], fetch["duration_ms"]) == (250.0, 500.0)
    assert fetch["metadata"] == {"operation": "GetObject"}
    assert (decode["metadata"], decode["annotations"]) == ({"key": "a.jpg"}, {"format": "webp"})


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "ok"),
        ({"fault": True}, "fault"),
        ({"error": True}, "error"),
        ({"throttle": True}, "error"),
        ({"annotations": {"status": 304}}, "ok"),
        ({"annotations": {"status": 404}}, "error"),
        ({"annotations": {"status": "503"}}, "fault"),
        ({"annotations": {"status": "soon"}}, "ok"),
        ({"type": "subsegment", "namespace": "aws", "fault": True, "http": {"response": {"status": 404}}}, "ok"),
        ({"type": "subsegment", "namespace": "aws", "fault": True, "http": {"response": {"status": 403}}}, "fault"),
        ({"fault": True, "http": {"response": {"status": 404}}}, "fault"),
    ],
)
def test_the_status_of_a_segment(more: dict[str, Any], status: str) -> None:
    assert tree(segment(**more))["segments"][0]["status"] == status


def test_the_status_of_a_trace_ignores_calls_to_aws() -> None:
    traces = Traces()
    traces.add_datagram(segment())
    traces.add_datagram(stage("s3", "b", "a", 10, 11, namespace="aws", fault=True))
    assert traces.search(0)[0]["status"] == "ok"
    traces.add_datagram(stage("fetch", "c", "a", 10, 11, error=True))
    assert traces.search(0)[0]["status"] == "error"


def test_an_unfinished_segment_does_not_replace_a_finished_one() -> None:
    begun = datagram(name="transform", id="a", start_time=10.0, in_progress=True)
    assert tree(begun, segment())["duration_ms"] == 2000
    assert tree(segment(), begun)["duration_ms"] == 2000


def test_traces_are_found_by_id_name_and_annotation() -> None:
    traces = Traces()
    traces.names = {"stack-TransformFunction-1": "transform"}
    traces.add_datagram(segment("stack-TransformFunction-1", annotations={"edge_request_id": "AbC==", "cold": True}))
    for text in ("", "abc=", ROOT[:12], "transform", "true"):
        assert [one["names"] for one in traces.search(0, text)] == [["transform"]], text
    assert traces.search(0, "stack-") == []
    assert traces.search(10.5) == []


def test_lists_are_newest_first_and_bounded() -> None:
    traces = Traces(max_traces=3)
    for number in range(5):
        traces.add_datagram(
            PREAMBLE + json.dumps({"trace_id": f"t{number}", "name": "n", "id": "a", "start_time": number}).encode()
        )
    assert [one["trace_id"] for one in traces.search(0)] == ["t4", "t3", "t2"]
    assert [one["trace_id"] for one in traces.search(0, limit=2)] == ["t4", "t3"]
    assert traces.tree("t1") is None


def test_an_updated_trace_is_kept() -> None:
    traces = Traces(max_traces=2)
    for name in ("old", "middle", "old", "new"):
        traces.add_datagram(
            PREAMBLE + json.dumps({"trace_id": name, "name": "n", "id": name, "start_time": 1}).encode()
        )
    assert traces.tree("middle") is None
    assert traces.tree("old") is not None


def test_the_segments_of_a_trace_are_bounded() -> None:
    traces = Traces()
    for number in range(MAX_DOCUMENTS + 10):
        traces.add_datagram(segment(number=str(number)))
    assert len(traces.tree(ROOT)["segments"]) == MAX_DOCUMENTS  # type: ignore[index]


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"{}",
        PREAMBLE,
        PREAMBLE + b"[1]",
        PREAMBLE + b'{"trace_id": "x"}',
        datagram(name="n", id="a", start_time="soon"),
        datagram(name="n", id="a", start_time=1, subsegments=[{"name": "no id"}]),
        datagram(name="n", id="a", start_time=1, subsegments=7),
    ],
)
def test_an_invalid_document_is_dropped(junk: bytes) -> None:
    traces = Traces()
    traces.add_datagram(junk)
    assert traces.search(0) == []


def test_documents_are_received_over_udp() -> None:
    async def sent() -> Any:
        traces = Traces()
        async with open_daemon(traces) as address:
            make_sender(address)({"trace_id": ROOT, "name": "n", "id": "a", "start_time": 1.0})
            await wait_until_async(lambda: traces.search(0), "the document has come")
        return traces.search(0)

    assert [one["trace_id"] for one in asyncio.run(sent())] == [ROOT]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    make_sender(f"127.0.0.1:{port}")({"id": "a"})
    make_sender("")({"id": "a"})
