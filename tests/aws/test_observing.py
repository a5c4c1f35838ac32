"""What a function tells of its work: datagrams to the X-Ray daemon, and lines on standard output."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom.aws.observing import MAX_VALUES, Observer

PACKAGE = Path(__file__).parents[2] / "layers" / "darkroom"
TRACE, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"

LAMBDA = {
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_LAMBDA_FUNCTION_NAME": "darkroom-ingest",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "_X_AMZN_TRACE_ID": f"Root={TRACE};Parent={PARENT};Sampled=1",
    "POWERTOOLS_SERVICE_NAME": "darkroom",
    "POWERTOOLS_METRICS_NAMESPACE": "Darkroom",
}
"""What Lambda sets in a traced function, as far as it matters here."""

WORK = """
from darkroom.aws import clients
from darkroom.aws.observing import Observer
from darkroom.aws.vault import Vault
from darkroom.errors import Damaged

observer = Observer("ingest")
with observer.message("message", key="a.jpg"):
    with observer.step("fetch"):
        assert Vault(clients.client("s3"), "no-such-bucket").head("missing") is None
    try:
        with observer.step("decode"):
            observer.annotate("pixel-format", "rgb")
            raise Damaged("the words of a user", detail="native words")
    except Damaged as error:
        observer.count("Refused", reason=error.code)
    try:
        with observer.step("index"):
            raise RuntimeError("the words of a user")
    except RuntimeError:
        pass
    observer.log("INFO", "done", name="a name")
print(observer.trace_id(), sorted(observer.timings_ms))
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Subsegments that the daemon got, by name, and the lines of standard output."""

    subsegments: dict[str, dict[str, Any]]
    lines: list[str]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [found for found in self.documents if "_aws" in found]

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line.startswith("{")]


@pytest.fixture(scope="module")
def run(aws_environment: dict[str, str]) -> Callable[..., Told]:
    """Does the work in a process of its own, in the given environment, while a daemon listens."""

    def running(script: str = WORK, **environment: str) -> Told:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
            daemon.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{daemon.getsockname()[1]}"
            done = subprocess.run(
                [sys.executable, "-c", script],
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(PACKAGE),
                    "AWS_XRAY_DAEMON_ADDRESS": address,
                    **aws_environment,
                    **environment,
                },
                capture_output=True,
                text=True,
                check=False,
            )
            daemon.setblocking(False)
            documents = list(received(daemon))
        assert (done.returncode, done.stderr) == (0, "")
        return Told({found["name"]: found for found in documents}, done.stdout.splitlines())

    return running


def received(daemon: socket.socket) -> Any:
    while True:
        try:
            header, _, document = daemon.recv(65536).partition(b"\n")
        except BlockingIOError:
            return
        assert json.loads(header) == {"format": "json", "version": 1}
        yield json.loads(document)


@pytest.fixture(scope="module")
def told(run: Callable[..., Told]) -> Told:
    return run(**LAMBDA)


def test_every_step_is_a_subsegment_of_the_functions_trace(told: Told) -> None:
    assert {name for name in told.subsegments if name.startswith("##")} == {
        "## message",
        "## fetch",
        "## decode",
        "## index",
    }
    assert {found["trace_id"] for found in told.subsegments.values()} == {TRACE}
    outer = told.subsegments["## message"]
    assert outer["parent_id"] == PARENT
    assert {told.subsegments[f"## {name}"]["parent_id"] for name in ("fetch", "decode", "index")} == {outer["id"]}
    for found in told.subsegments.values():
        assert found["type"] == "subsegment"
        assert outer["start_time"] <= found["start_time"] <= found["end_time"] <= outer["end_time"]


def test_calls_of_aws_are_below_their_step(told: Told) -> None:
    call = told.subsegments["s3"]
    assert call["parent_id"] == told.subsegments["## fetch"]["id"]
    assert (call["namespace"], call["aws"]["operation"]) == ("aws", "HeadObject")


def test_fields_and_annotations_can_be_searched_for(told: Told) -> None:
    assert told.subsegments["## message"]["annotations"] == {"key": "a.jpg"}
    assert told.subsegments["## decode"]["annotations"] == {"pixel_format": "rgb", "error": "damaged"}


def test_a_refusal_is_an_error_and_anything_else_a_fault(told: Told) -> None:
    decode, index, fetch = (told.subsegments[f"## {name}"] for name in ("decode", "index", "fetch"))
    assert (decode.get("error"), decode.get("fault")) == (True, None)
    assert (index.get("error"), index.get("fault")) == (None, True)
    assert index["annotations"] == {"error": "RuntimeError"}
    assert not {"error", "fault", "cause"} & set(fetch)


def test_no_message_of_an_error_is_told(told: Told) -> None:
    assert "words" not in json.dumps(told.subsegments) + "".join(told.lines)


def test_metrics_are_written_once_by_their_dimensions(told: Told) -> None:
    plain, refused = told.metrics
    described = plain["_aws"]["CloudWatchMetrics"][0]
    assert described["Namespace"] == "Darkroom"
    assert described["Dimensions"] == [["function", "service"]]
    assert {metric["Name"]: metric["Unit"] for metric in described["Metrics"]} == dict.fromkeys(
        ["FetchTime", "DecodeTime", "IndexTime", "MessageTime"], "Milliseconds"
    )
    assert (plain["function"], plain["service"]) == ("ingest", "darkroom")
    assert plain["MessageTime"][0] >= plain["FetchTime"][0] > 0
    assert sorted(refused["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["function", "reason", "service"]
    assert (refused["reason"], refused["Refused"]) == ("damaged", [1.0])


def test_log_lines_bear_the_fields_of_the_message(told: Told) -> None:
    [line] = [found for found in told.documents if found.get("message") == "done"]
    assert (line["key"], line["name"], line["level"]) == ("a.jpg", "a name", "INFO")
    assert TRACE in line["xray_trace_id"]


def test_the_trace_has_an_id_and_steps_have_times(told: Told) -> None:
    assert told.lines[-1] == f"{TRACE} ['decode', 'fetch', 'index', 'message']"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        LAMBDA | {"_X_AMZN_TRACE_ID": ""},
        LAMBDA | {"_X_AMZN_TRACE_ID": f"Root={TRACE};Parent={PARENT};Sampled=0"},
        LAMBDA | {"POWERTOOLS_TRACE_DISABLED": "true"},
    ],
    ids=["outside Lambda", "without a trace", "not sampled", "switched off"],
)
def test_where_nothing_is_traced_all_else_goes_on(run: Callable[..., Told], environment: dict[str, str]) -> None:
    told = run(**environment)
    assert told.subsegments == {}
    assert len(told.metrics) == 2
    assert re.fullmatch(r"(1-\S+)? \['decode', 'fetch', 'index', 'message'\]", told.lines[-1])


def test_a_trace_that_changes_is_followed(run: Callable[..., Told]) -> None:
    """A function lives on from one invocation to the next."""
    script = f"""
import os
from darkroom.aws.observing import Observer

observer = Observer("ingest")
for number in (1, 2):
    os.environ["_X_AMZN_TRACE_ID"] = f"Root={TRACE[:-1]}{{number}};Parent={PARENT};Sampled=1"
    with observer.message(f"message {{number}}"):
        pass
"""
    told = run(script, **LAMBDA)
    assert {name: found["trace_id"][-1] for name, found in told.subsegments.items()} == {
        "## message 1": "1",
        "## message 2": "2",
    }


def test_steps_of_threads_belong_to_the_function(run: Callable[..., Told]) -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
from darkroom.aws.observing import Observer

observer = Observer("ingest")

def work(number):
    with observer.step(f"put {number}"):
        observer.count("Put")

with observer.message("message"), ThreadPoolExecutor(4) as pool:
    list(pool.map(work, range(20)))
"""
    told = run(script, **LAMBDA)
    assert len(told.subsegments) == 21
    assert {found["parent_id"] for found in told.subsegments.values()} == {PARENT}
    assert sum(sum(found.get("Put", [])) for found in told.metrics) == 20


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_times_of_a_step_add_up_and_begin_anew() -> None:
    observer = Observer("ingest")
    with observer.step("put"):
        pass
    first = observer.timings_ms["put"]
    with observer.step("put"):
        pass
    assert observer.timings_ms["put"] > first
    kept = observer.timings_ms
    observer.begin()
    assert observer.timings_ms == {}
    assert kept["put"] > first


def test_what_is_raised_goes_through() -> None:
    failure = RuntimeError("x")
    observer = Observer("ingest")
    with pytest.raises(RuntimeError) as caught, observer.message("message"), observer.step("work"):
        raise failure
    assert caught.value is failure
    assert set(observer.timings_ms) == {"message", "work"}


def test_beginning_writes_what_was_counted(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer("ingest")
    observer.count("Done", 2)
    observer.count("Done", 3)
    assert emitted(capsys) == []
    observer.begin()
    [line] = emitted(capsys)
    assert line["Done"] == [2.0, 3.0]
    observer.flush()
    assert emitted(capsys) == []


def test_a_dimension_has_few_values(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer("ingest")
    for number in range(MAX_VALUES + 20):
        observer.count("Refused", reason=f"reason {number}")
    observer.count("Refused", reason="")
    observer.count("Refused", reason="x" * 1000)
    observer.flush()
    lines = emitted(capsys)
    assert len(lines) == MAX_VALUES + 1
    assert sum(len(line["Refused"]) for line in lines) == MAX_VALUES + 22
    assert "other" in {line["reason"] for line in lines}
    assert max(len(line["reason"]) for line in lines) <= 64
