"""Both observers follow the protocol and write the same log lines, metrics and segments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .observed_process import BEFORE, LAMBDA, OBSERVERS, PARENT, SENDER, TRACE, Document, Observed, watch

WORK = """
from concurrent.futures import ThreadPoolExecutor
from darkroom.aws import telemetry
from darkroom.errors import DamagedSource, FindingsPending, Unavailable

class Context:
    aws_request_id = "8f5"
    function_name = "darkroom-ingest"
    memory_limit_in_mb = "1769"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:darkroom-ingest:live"

def failing(name, error):
    try:
        with observer.step(name):
            observer.annotate("pixel-format", "rgb")
            raise error
    except type(error):
        pass

observer = Observer("ingest")
telemetry.log("INFO", "starting")
observer.begin(Context)
with observer.message("change", correlation_id="cf-id-1", key="a.jpg"):
    observer.annotate("status", 200)
    observer.annotate("stored", True)
    observer.add_metadata("sizes", {"source": 7, "picture": [1, 2]})
    with observer.step("fetch"):
        inner = observer.trace_header()
        observer.record_stages({"read": 20.0, "decode": 30.0}, started_s=1_700_000_000.0)
    failing("sniff", DamagedSource("the words of a user", detail="native words"))
    failing("index", RuntimeError("the words of a user"))
    failing("wait", FindingsPending("the words of a user"))
    failing("ask", Unavailable("the words of a user"))
    with observer.step("invoke"):
        stages_ms = {"decode": 12.0, "infer": 80.0}
        observer.record_remote_call("endpoint", stages_ms, started_s=1_700_000_000.0, ended_s=1_700_000_000.5)
    with observer.step("answer"):
        observer.record_error(DamagedSource("the words of a user"))
    observer.count("Refused", reason="damaged")
    observer.count("Refused", reason="")
    observer.count("Pixels", 3.5, "None")
    observer.log("INFO", "done", name="a name", args=[1], level_of="x", text="\\u00e9 \\ud800", thing=Context.__name__)
    observer.log("ERROR", "42")
    telemetry.log("WARNING", "of a module", code="x")
    outer = observer.trace_header()
telemetry.log("INFO", "between")
observer.begin(Context)
for number in range(2):  # a message that comes again, in an invocation of its own trace
    with observer.message("change", trace_header="{continued}", correlation_id="b", number=str(number)):
        observer.add_metadata("key", "b.jpg")
        observer.annotate("outcome", "ready")
        header, found = observer.trace_header(), observer.trace_id()
        with observer.step(f"only {number}"):
            pass
        def work(part):
            with observer.step(f"part {number} {part}"):
                observer.count("Part")
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(work, range(2)))
        observer.log("INFO", "continued")
try:
    with observer.message("change", trace_header="{continued}"):
        raise RuntimeError("the words of a user")
except RuntimeError:
    pass
with observer.message("change", trace_header="{unsampled}"), observer.step("unseen"):
    unsampled = observer.trace_header()
with observer.message("change", trace_header="{same}"):
    pass
with observer.message("change", trace_header="nonsense"):
    pass
for value in range(150):
    observer.count("Many", value)
observer.annotate("nowhere", "x")
observer.flush()
observer.flush()
telemetry.log("INFO", "headers", inner=inner, outer=outer, header=header, found=found, unsampled=unsampled)
telemetry.log("INFO", "timed", names=sorted(observer.timings_ms))
"""

CONTINUED = f"Root={BEFORE};Parent={SENDER};Sampled=1"


def script(observer: str) -> str:
    work = WORK.replace("{continued}", CONTINUED)
    work = work.replace("{unsampled}", f"Root={BEFORE};Parent={SENDER};Sampled=0")
    return OBSERVERS[observer] + work.replace("{same}", f"Root={TRACE};Parent={SENDER};Sampled=1")


@pytest.fixture(scope="module")
def tellings() -> dict[str, Observed]:
    return {observer: watch(script(observer), LAMBDA) for observer in OBSERVERS}


@pytest.fixture(params=OBSERVERS)
def observed(request: pytest.FixtureRequest, tellings: dict[str, Observed]) -> Observed:
    return tellings[request.param]


def named(documents: list[Document]) -> dict[str, str]:
    return {found["id"]: found["name"] for found in documents} | {PARENT: "invocation", SENDER: "sender"}


def without_chance(observed: Observed) -> Any:
    """Return the observations without times and with names for ids."""
    names = named(observed.received)

    def plain(document: Document) -> Document:
        found = {part: value for part, value in document.items() if part not in ("id", "start_time", "end_time")}
        return found | {"parent_id": names[document["parent_id"]]}

    def timeless(line: Document) -> Document:
        timed = {name: len(value) for name, value in line.items() if name.endswith("Time")}
        stamp = {"timestamp": ""} if "timestamp" in line else {"_aws": line["_aws"] | {"Timestamp": 0}}
        return {**line, **timed, **stamp}

    ids = sorted(names, key=len)
    lines = [timeless(line) for line in observed.documents]
    text = json.dumps(lines, sort_keys=True)
    for entity in ids:
        text = text.replace(entity, names[entity])
    return sorted(json.dumps(plain(found), sort_keys=True) for found in observed.received), json.loads(text)


def test_both_observers_record_the_same(tellings: dict[str, Observed]) -> None:
    light, heavy = (without_chance(tellings[observer]) for observer in ("light", "powertools"))
    assert light[0] == heavy[0]
    assert light[1] == heavy[1]


def test_every_step_is_a_subsegment_of_the_functions_trace(observed: Observed) -> None:
    own = [found for found in observed.received if found["trace_id"] == TRACE]
    outer = own[[found["name"] for found in own].index("change")]
    assert (outer["parent_id"], outer["type"]) == (PARENT, "subsegment")
    below = {found["name"] for found in own if found["parent_id"] == outer["id"]}
    assert below == {"fetch", "sniff", "index", "wait", "ask", "invoke", "answer"}
    for found in (found for found in own if found["name"] in below):
        assert outer["start_time"] <= found["start_time"] <= found["end_time"] <= outer["end_time"]


def test_the_message_has_annotations_for_search_and_metadata(observed: Observed) -> None:
    outer = next(found for found in observed.received if found["name"] == "change")
    assert outer["annotations"] == {"cold": True, "correlation_id": "cf-id-1", "status": 200, "stored": True}
    assert outer["metadata"]["default"] == {"key": "a.jpg", "sizes": {"source": 7, "picture": [1, 2]}}


@pytest.mark.parametrize(
    ("step", "flag", "code"),
    [
        ("sniff", "error", "damaged"),
        ("index", "fault", "defect"),
        ("wait", "error", "findings-pending"),
        ("ask", "fault", "unavailable"),
        ("answer", "error", "damaged"),
    ],
)
def test_a_refusal_is_an_error_and_a_defect_a_fault(observed: Observed, step: str, flag: str, code: str) -> None:
    found = observed.by_name[step]
    assert {mark for mark in ("error", "fault") if found.get(mark)} == {flag}
    assert found["annotations"]["code"] == code
    assert "cause" not in found


def test_annotations_have_names_that_xray_takes(observed: Observed) -> None:
    assert observed.by_name["index"]["annotations"]["pixel_format"] == "rgb"


def test_no_message_of_an_error_is_recorded(observed: Observed) -> None:
    assert "words" not in json.dumps(observed.received) + "".join(observed.lines)


def test_stages_that_were_timed_elsewhere_follow_each_other(observed: Observed) -> None:
    read, fetch = observed.by_name["read"], observed.by_name["fetch"]
    decode = next(found for found in observed.received if found["name"] == "decode")
    assert read["parent_id"] == fetch["id"]
    times = [read["start_time"], read["end_time"], decode["start_time"], decode["end_time"]]
    assert times == pytest.approx([1_700_000_000, 1_700_000_000.02, 1_700_000_000.02, 1_700_000_000.05], abs=1e-5)


def test_a_call_of_another_service_is_remote_with_its_stages_inside(observed: Observed) -> None:
    call = observed.by_name["endpoint"]
    assert (call["namespace"], call["parent_id"]) == ("remote", observed.by_name["invoke"]["id"])
    assert (call["start_time"], call["end_time"]) == (1_700_000_000.0, 1_700_000_000.5)
    inside = [found for found in observed.received if found["parent_id"] == call["id"]]
    assert [found["name"] for found in inside] == ["decode", "infer"]
    assert inside[1]["start_time"] == pytest.approx(1_700_000_000.012, abs=1e-5)


def test_a_message_of_another_trace_is_a_segment_of_its_own_there(observed: Observed) -> None:
    segments = [found for found in observed.received if "type" not in found]
    assert {(found["name"], found["trace_id"], found["parent_id"]) for found in segments} == {
        ("darkroom-ingest", BEFORE, SENDER)
    }
    assert len(segments) == len({found["id"] for found in segments}) == 3
    first, again, broken = segments
    assert first["annotations"] == {"cold": False, "correlation_id": "b", "outcome": "ready"}
    assert first["metadata"]["default"] == {"number": "0", "key": "b.jpg"}
    assert (broken["fault"], broken["annotations"]["code"]) == (True, "defect")
    for number, segment in enumerate((first, again)):
        below = {found["name"] for found in observed.received if found["parent_id"] == segment["id"]}
        assert below == {f"only {number}", f"part {number} 0", f"part {number} 1"}


def test_the_next_hop_gets_the_innermost_step(observed: Observed) -> None:
    [line] = [found for found in observed.logs if found["message"] == "headers"]
    outer = next(found for found in observed.received if found["name"] == "change")
    again = [found for found in observed.received if "type" not in found][1]
    assert line["inner"] == f"Root={TRACE};Parent={observed.by_name['fetch']['id']};Sampled=1"
    assert line["outer"] == f"Root={TRACE};Parent={outer['id']};Sampled=1"
    assert (line["header"], line["found"]) == (f"Root={BEFORE};Parent={again['id']};Sampled=1", BEFORE)
    assert line["unsampled"] == ""
    assert line["xray_trace_id"] == TRACE


def test_what_is_not_sampled_is_not_sent(observed: Observed) -> None:
    assert "unseen" not in observed.by_name


def test_the_same_trace_and_nonsense_are_no_other_trace(observed: Observed) -> None:
    last = [found for found in observed.received if found["name"] == "change"][-2:]
    assert [(found["trace_id"], found["parent_id"]) for found in last] == [(TRACE, PARENT)] * 2


def test_a_log_line_names_its_invocation_and_message(observed: Observed) -> None:
    lines = {found["message"]: found for found in observed.logs}
    invocation = {
        "cold_start": True,
        "function_name": "darkroom-ingest",
        "function_memory_size": "1769",
        "function_arn": "arn:aws:lambda:eu-central-1:111122223333:function:darkroom-ingest:live",
        "function_request_id": "8f5",
    }
    of_message = {"correlation_id": "cf-id-1", "key": "a.jpg"}
    assert lines["done"].items() >= (invocation | of_message | {"level": "INFO", "service": "ingest"}).items()
    assert lines["of a module"].items() >= (invocation | of_message | {"level": "WARNING", "code": "x"}).items()
    assert lines["done"]["xray_trace_id"] == TRACE
    assert lines["continued"]["xray_trace_id"] == BEFORE
    assert lines["continued"]["cold_start"] is False
    assert not {"cold_start", "correlation_id", "key"} & set(lines["starting"])
    assert not {"correlation_id", "key"} & set(lines["between"])


def test_fields_may_have_any_name_and_texts_any_character(observed: Observed) -> None:
    lines = {found["message"]: found for found in observed.logs}
    assert lines["done"].items() >= {"name": "a name", "args": [1], "text": "é \ud800"}.items()
    assert lines["42"]["level"] == "ERROR"


def test_metrics_are_written_once_by_their_dimensions(observed: Observed) -> None:
    plain, refused, other = observed.metrics[:3]
    described = plain["_aws"]["CloudWatchMetrics"][0]
    assert described["Namespace"] == "Darkroom/darkroom"
    assert described["Dimensions"] == [["function", "service"]]
    units = {metric["Name"]: metric["Unit"] for metric in described["Metrics"]}
    steps = ("Read", "Decode", "Fetch", "Sniff", "Index", "Wait", "Ask", "Invoke", "Answer", "Change")
    assert units == {f"{step}Time": "Milliseconds" for step in steps} | {"Pixels": "None"}
    assert (plain["function"], plain["service"], plain["Pixels"]) == ("ingest", "ingest", [3.5])
    assert plain["ChangeTime"][0] >= plain["FetchTime"][0] > 0
    assert (plain["ReadTime"], plain["DecodeTime"]) == ([20.0], [30.0])
    assert refused["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["function", "reason", "service"]]
    assert (refused["reason"], refused["Refused"]) == ("damaged", [1.0])
    assert other["reason"] == "other"


def test_a_line_has_no_more_values_of_a_metric_than_the_format_takes(observed: Observed) -> None:
    assert [len(found["Many"]) for found in observed.metrics if "Many" in found] == [100, 50]


def test_timings_are_those_of_the_last_message(observed: Observed) -> None:
    assert observed.logs[-1]["names"] == ["change"]


QUIET = """
observer = Observer("ingest")
with observer.message("change", trace_header="Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad"):
    with observer.step("fetch"):
        observer.annotate("format", "jpeg")
        observer.add_metadata("key", "a.jpg")
        observer.record_error(ValueError())
        observer.record_stages({"decode": 1.0}, started_s=1.0)
        observer.record_remote_call("endpoint", {}, started_s=1.0, ended_s=2.0)
        assert observer.trace_header() == ""
    observer.count("Done")
"""


@pytest.mark.sample(5)
@pytest.mark.parametrize("observer", OBSERVERS)
@pytest.mark.parametrize(
    "environment",
    [
        {},
        LAMBDA | {"_X_AMZN_TRACE_ID": ""},
        LAMBDA | {"_X_AMZN_TRACE_ID": f"Root={TRACE};Parent={PARENT};Sampled=0"},
        LAMBDA | {"_X_AMZN_TRACE_ID": f"Root={TRACE};Parent={PARENT}"},
        LAMBDA | {"POWERTOOLS_TRACE_DISABLED": "true"},
        LAMBDA | {"AWS_SAM_LOCAL": "true"},
    ],
    ids=["outside Lambda", "without a trace", "not sampled", "undecided", "switched off", "sam local"],
)
def test_where_nothing_is_traced_all_else_goes_on(observer: str, environment: dict[str, str]) -> None:
    observed = watch(OBSERVERS[observer] + QUIET, environment)
    assert observed.received == []
    [metrics] = observed.metrics
    assert (metrics["Done"], len(metrics["DecodeTime"])) == ([1.0], 1)


@pytest.mark.parametrize("observer", OBSERVERS)
def test_a_document_that_is_too_large_loses_its_metadata(observer: str) -> None:
    work = """
observer = Observer("ingest")
with observer.message("large"):
    observer.add_metadata("words", "x" * 70_000)
    observer.annotate("format", "jpeg")
with observer.message("larger"):
    observer.annotate("words", "x" * 70_000)
with observer.message("small"):
    pass
"""
    observed = watch(OBSERVERS[observer] + work, LAMBDA)
    assert [(found["name"], found.get("annotations")) for found in observed.received] == [
        ("large", {"format": "jpeg"}),
        ("small", None),
    ]
    assert "metadata" not in observed.received[0]


@pytest.mark.parametrize("observer", OBSERVERS)
@pytest.mark.parametrize("address", ["127.0.0.1:9", "tcp:127.0.0.1:9 udp:127.0.0.1:9", "no.such.host.invalid:2000"])
def test_a_daemon_that_is_not_there_is_no_matter(observer: str, address: str) -> None:
    work = OBSERVERS[observer] + '\nwith Observer("ingest").message("change"):\n    print("worked")'
    assert "worked" in watch(work, LAMBDA | {"AWS_XRAY_DAEMON_ADDRESS": address}).lines
