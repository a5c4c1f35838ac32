"""Telemetry in process: headers, counts and the fields of log lines."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.aws import telemetry
from darkroom.aws.telemetry import MAX_VALUES, LightObserver, Observer, bind_fields
from darkroom.aws.telemetry.traces import MAX_BYTES, TraceHeader, XRayDaemon, is_traced, read_header
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from tests.waiting import HANG_S

from .observed_process import PARENT, TRACE

type Kind = type[LightObserver] | type[PowertoolsObserver]


@pytest.fixture(params=[LightObserver, PowertoolsObserver])
def observer(request: pytest.FixtureRequest) -> Iterator[LightObserver | PowertoolsObserver]:
    kind: Kind = request.param
    yield kind("ingest")
    bind_fields({})


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (f"Root={TRACE};Parent={PARENT};Sampled=1", TraceHeader(TRACE, PARENT, sampled=True)),
        (f"Self=1-x-y; Root={TRACE} ;Sampled=1", TraceHeader(TRACE, "", sampled=True)),
        (f"Parent={PARENT};Root={TRACE};Sampled=0", TraceHeader(TRACE, PARENT, sampled=False)),
        (f"Root={TRACE};Parent={PARENT};Sampled=?", TraceHeader(TRACE, PARENT, sampled=False)),
        (f"Root={TRACE}", TraceHeader(TRACE, "", sampled=False)),
        (f"Parent={PARENT};Sampled=1", None),
        ("", None),
    ],
)
def test_headers_are_read(text: str, header: TraceHeader | None) -> None:
    assert read_header(text) == header


@pytest.mark.slow
@given(st.text())
def test_no_text_is_too_odd_for_a_header(text: str) -> None:
    found = read_header(text)
    assert found is None or found.root


@pytest.mark.slow
@given(
    st.from_regex(r"[0-9a-f-]{1,40}", fullmatch=True), st.from_regex(r"[0-9a-f]{0,16}", fullmatch=True), st.booleans()
)
def test_a_header_is_read_as_it_was_written(root: str, parent: str, sampled: bool) -> None:
    header = TraceHeader(root, parent, sampled)
    assert read_header(str(header)) == header


@pytest.mark.parametrize(
    ("environment", "traced"),
    [
        ({}, False),
        ({"LAMBDA_TASK_ROOT": "/var/task"}, True),
        ({"LAMBDA_TASK_ROOT": "/var/task", "AWS_SAM_LOCAL": "true"}, False),
        ({"LAMBDA_TASK_ROOT": "/var/task", "POWERTOOLS_TRACE_DISABLED": "True"}, False),
        ({"LAMBDA_TASK_ROOT": "/var/task", "POWERTOOLS_TRACE_DISABLED": "1"}, False),
        ({"LAMBDA_TASK_ROOT": "/var/task", "POWERTOOLS_TRACE_DISABLED": "false"}, True),
    ],
)
def test_tracing_is_lambdas(environment: dict[str, str], traced: bool) -> None:
    assert is_traced(environment) is traced


def test_a_large_document_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(HANG_S)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listener.getsockname()[1]}")
        child = {"id": "b", "name": "child", "metadata": {"default": {"text": "x" * MAX_BYTES}}}
        XRayDaemon().send({"id": "a", "name": "parent", "trace_id": TRACE, "subsegments": [child, child | {"id": "c"}]})
        documents = [json.loads(listener.recv(65536).partition(b"\n")[2]) for _ in range(3)]
    below = {"name": "child", "trace_id": TRACE, "parent_id": "a", "type": "subsegment"}
    assert documents == [
        {"id": "b", **below},
        {"id": "c", **below},
        {"id": "a", "name": "parent", "trace_id": TRACE},
    ]


def test_times_of_a_step_add_up_and_are_reset(observer: Observer) -> None:
    with observer.step("put"):
        pass
    first = observer.timings_ms["put"]
    with observer.step("put"):
        pass
    assert observer.timings_ms["put"] >= first
    kept = observer.timings_ms
    observer.begin()
    assert observer.timings_ms == {}
    assert kept["put"] >= first


def test_what_is_raised_goes_through(observer: Observer) -> None:
    failure = RuntimeError("x")
    with pytest.raises(RuntimeError) as caught, observer.message("message"), observer.step("work"):
        raise failure
    assert caught.value is failure
    assert set(observer.timings_ms) == {"message", "work"}


def test_beginning_writes_what_was_counted(observer: Observer, capsys: pytest.CaptureFixture[str]) -> None:
    observer.count("Done", 2)
    observer.count("Done", 3)
    assert emitted(capsys) == []
    observer.begin()
    [line] = emitted(capsys)
    assert line["Done"] == [2.0, 3.0]
    observer.flush()
    assert emitted(capsys) == []


def test_a_dimension_has_few_values(observer: Observer, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(MAX_VALUES + 20):
        observer.count("Refused", reason=f"reason {number}")
    observer.count("Refused", reason="")
    observer.count("Refused", reason="x" * 1000)
    observer.flush()
    written = emitted(capsys)
    assert len(written) == MAX_VALUES + 1
    assert sum(len(line["Refused"]) for line in written) == MAX_VALUES + 22
    assert "other" in {line["reason"] for line in written}
    assert max(len(line["reason"]) for line in written) <= 64


def test_a_process_that_was_kept_warm_has_no_cold_start(
    observer: Observer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")
    observer.begin(object())
    telemetry.log("INFO", "x")
    assert [line["cold_start"] for line in emitted(capsys)] == [False]


def test_a_message_without_an_id_has_that_of_the_invocation(
    observer: Observer, capsys: pytest.CaptureFixture[str]
) -> None:
    class Context:
        aws_request_id = "8f5"

    observer.begin(Context)
    with observer.message("sweep"):
        observer.log("INFO", "x")
    assert emitted(capsys)[0]["correlation_id"] == "8f5"
