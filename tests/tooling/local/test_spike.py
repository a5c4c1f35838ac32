"""Tests of the observer of traffic spikes (tests/stack/spike): concurrent renders, and faults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stack.spike.run import KINDS, Outcome, SpikeKind
from tests.stack.spike.server_log import LogEntry, max_concurrent, read_log
from tests.stack.spike.viewers import Answer, Viewer, parse_retry_after

AT_S = 1_800_000_000.0


def line(ended_s: float, ms: float, path: str = "/a.jpg/_/w-320.webp", **more: Any) -> str:
    at = datetime.fromtimestamp(ended_s, UTC).isoformat(timespec="milliseconds")
    fields = {"message": "answered", "timestamp": at, "path": path, "ms": ms, "stages_ms": {"encode": 4.0}, **more}
    return json.dumps(fields)


def work(*spans: tuple[float, float]) -> list[LogEntry]:
    return [LogEntry("/a", AT_S + begun_s, AT_S + ended_s, rendered=True) for begun_s, ended_s in spans]


def test_lines_have_the_time_of_an_answer_and_whether_it_was_rendered() -> None:
    lines = [
        "START RequestId: 1",
        line(AT_S + 1, 250.0),
        '{"message": "something else"}',
        "{half a line",
        "2026-01-01 " + line(AT_S + 2, 10.0, stages_ms={"fetch": 1.0}),
        line(AT_S + 3, 10.0, message="presets"),
        "[1]",
    ]
    first, second = read_log(lines)
    assert (first.path, first.rendered, second.rendered) == ("/a.jpg/_/w-320.webp", True, False)
    assert (first.begun_s, first.ended_s) == pytest.approx((AT_S + 0.75, AT_S + 1))


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ((), 0),
        (((0.0, 1.0),), 1),
        (((0.0, 1.0), (1.0, 2.0)), 1),
        (((0.0, 1.0), (0.9995, 2.0)), 1),
        (((0.0, 1.0), (0.99, 2.0)), 2),
        (((0.0, 3.0), (0.5, 1.0), (1.5, 2.0)), 2),
        (((0.0, 3.0), (0.5, 2.0), (1.5, 2.5)), 3),
        (((0.0, 0.0005),), 0),
    ],
)
def test_renders_at_a_time(spans: Sequence[tuple[float, float]], most: int) -> None:
    assert max_concurrent(work(*spans)) == most


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=20))
def test_renders_at_a_time_are_those_of_some_moment(spans: list[tuple[int, int]]) -> None:
    found = max_concurrent(work(*((float(begun_s), float(begun_s + lasted_s)) for begun_s, lasted_s in spans)))
    moments = [begun_s + 0.5 for begun_s, _ in spans]
    assert found == max((sum(begun < at < begun + lasted for begun, lasted in spans) for at in moments), default=0)


@pytest.mark.parametrize(
    ("text", "wait_s"), [("", None), ("1", 1.0), ("30", 30.0), ("-1", None), ("²", None), ("soon", None)]
)
def test_retry_after(text: str, wait_s: float | None) -> None:
    assert parse_retry_after(text) == wait_s


def refused(retry_after_s: float | None = 1.0, status: int = 429) -> Answer:
    return Answer(status, 5.0, retry_after_s, "", "", written=False)


def served(digest: str = "image", *, written: bool = False) -> Answer:
    return Answer(200, 50.0, None, digest, f'"{digest}"', written)


def identical() -> Outcome:
    """A spike without faults: two race for one image, the third retries."""
    answers = [(served(written=True),), (served(),), (refused(), served())]
    viewers = [Viewer("/a.jpg?w=320", each, 100.0 * len(each)) for each in answers]
    return Outcome(SpikeKind(distinct=False, collapsing=False), 2, viewers, work((0.0, 1.0), (0.5, 1.5)), {"a": 1})


def with_third(outcome: Outcome, *answers: Answer, target: str = "/a.jpg?w=320") -> Outcome:
    return replace(outcome, viewers=[*outcome.viewers[:2], Viewer(target, answers, 1.0)])


def test_a_good_outcome_has_no_faults() -> None:
    outcome = identical()
    assert list(outcome.faults()) == []
    assert (outcome.first, outcome.rounds, len(outcome.renders)) == ({200: 2, 429: 1}, 2, 2)


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (with_third(identical(), refused(status=502), served()), "responses of other statuses: {502: 1}"),
        (with_third(identical(), refused(None), served()), "1 refusals without Retry-After"),
        (with_third(identical(), refused(None, 503), served()), "1 refusals without Retry-After"),
        (with_third(identical(), refused(), refused()), "1 viewers without an image"),
        (replace(identical(), concurrency=1), "2 renders at a time, 1 reserved"),
        (replace(identical(), stored={"a": 2}), "2 versions of 1 objects for 1 images"),
        (replace(identical(), stored={"a": 1, "b": 1}), "2 versions of 2 objects for 1 images"),
        (replace(identical(), stored={}), "0 versions of 0 objects for 1 images"),
        (
            with_third(identical(), served(written=True)),
            "2 responses that report a stored image, of 1",
        ),
        (with_third(identical(), served("another")), "different responses for /a.jpg?w=320 and 0 others"),
    ],
)
def test_faults(outcome: Outcome, fault: str) -> None:
    assert list(outcome.faults()) == [fault]


def test_images_of_different_requests_may_differ() -> None:
    outcome = replace(
        with_third(identical(), served("another", written=True), target="/b.jpg?w=320"), stored={"a": 1, "b": 1}
    )
    assert list(outcome.faults()) == []


def test_kinds_have_prefixes_of_their_own_that_are_no_beginnings_of_others() -> None:
    prefixes = [kind.prefix for kind in KINDS]
    assert len({(kind.distinct, kind.collapsing) for kind in KINDS}) == 4
    assert sum(one.startswith(other) for one in prefixes for other in prefixes) == 4
