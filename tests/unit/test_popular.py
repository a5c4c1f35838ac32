"""Count popular requests: log lines, bounded tallies, and parsing of logged paths."""

from __future__ import annotations

import io
from collections import Counter
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption
from darkroom.plan.canonical import canonical_path, derivative_name
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import DATA_FORMATS, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.variants import list_variants
from darkroom_pipeline.operations.popular.access_log import (
    MAX_LINE_BYTES,
    MAX_TARGET_CHARACTERS,
    FrequentItems,
    LogReader,
)
from darkroom_pipeline.operations.popular.requested_variant import RequestedVariant, filter_variants, parse_target
from darkroom_pipeline.operations.popular.service import SETTLED_S, Window, read_window

from .plans import plans

HEADER = "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem sc-status cs-uri-query x-edge-result-type\n"
HOUR_S = 3_600.0


def line(
    stem: str = "/a.jpg", query: str = "-", *, method: str = "GET", status: str = "200", result: str = "Hit"
) -> str:
    return "\t".join(("2026-11-25", "12:00:00", method, stem, status, query, result)) + "\n"


def read(text: str) -> tuple[list[str], LogReader]:
    reader = LogReader()
    return list(reader.targets(io.BytesIO(text.encode()))), reader


@pytest.mark.parametrize(
    ("given_line", "target"),
    [
        (line(), "/a.jpg"),
        (line(result="RefreshHit"), "/a.jpg"),
        (line(result="Miss"), "/a.jpg"),
        (line(result="OriginShieldHit"), "/a.jpg"),
        (line(query="w=800&f=webp"), "/a.jpg?f=webp&w=800"),
        (line(query="w=801&s=abc&exp=5"), "/a.jpg?w=801"),
        (line(query="w=801&signature=abc&expires=5"), "/a.jpg?w=801"),
        (line(query="s=abc&exp=5"), "/a.jpg"),
        (line(query="exp=hero"), "/a.jpg?exp=hero"),
        (line("/a.jpg/_/w-800.webp", "w=auto&exp=hero"), "/a.jpg/_/w-800.webp?exp=hero&w=auto"),
        (line(method="HEAD"), None),
        (line(status="304"), None),
        (line(status="206"), None),
        (line(result="Error"), None),
        (line(result="FunctionGeneratedResponse"), None),
        (line("/" + "a" * MAX_TARGET_CHARACTERS), None),
    ],
)
def test_images_that_were_sent_count(given_line: str, target: str | None) -> None:
    targets, reader = read(HEADER + given_line)
    assert targets == ([target] if target else [])
    assert (reader.lines, reader.unread) == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        line(),  # before any header
        HEADER + "2026-11-25\t12:00:00\tGET\n",
        HEADER + line().strip() + "\tmore\n",
        "#Fields: date time cs-method\n2026-11-25\t12:00:00\tGET\n",
        HEADER + "\n",
    ],
)
def test_lines_that_are_no_requests_are_reported(text: str) -> None:
    targets, reader = read(text)
    assert (targets, reader.lines, reader.unread) == ([], 1, 1)


def test_fields_are_found_by_their_names() -> None:
    swapped = "#Fields: x-edge-result-type cs-uri-query sc-status cs-uri-stem cs-method\nHit\tw=320\t200\t/b.jpg\tGET\n"
    targets, reader = read(HEADER + line() + swapped)
    assert targets == ["/a.jpg", "/b.jpg?w=320"]
    assert reader.unread == 0


def test_an_endless_line_takes_no_memory_and_hides_no_other() -> None:
    class Log(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1) -> bytes:
            piece = super().readline(size)
            self.longest = max(self.longest, len(piece))
            return piece

    log, reader = Log((HEADER + "x" * 3 * MAX_LINE_BYTES + "\n" + line()).encode()), LogReader()
    assert list(reader.targets(log)) == ["/a.jpg"]
    assert (reader.lines, reader.unread, log.longest) == (2, 1, MAX_LINE_BYTES)


@given(st.binary(max_size=300))
def test_no_log_file_makes_the_reader_fail(content: bytes) -> None:
    reader = LogReader()
    found = list(reader.targets(io.BytesIO(HEADER.encode() + content)))
    assert len(found) + reader.unread <= reader.lines


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=1), max_size=200), st.integers(1, 8))
def test_a_tally_never_counts_too_much_and_misses_little(names: list[str], most: int) -> None:
    tally, true = FrequentItems(most), Counter(names)
    for name in names:
        tally.add(name)
        assert len(tally.counts) <= most
    for name, count in true.items():
        assert count - len(names) // (most + 1) <= tally.counts.get(name, 0) <= count
    assert tally.total == len(names)


def test_a_tally_with_room_is_exact() -> None:
    tally = FrequentItems(2)
    for name in "abaa":
        tally.add(name)
    assert tally.counts == {"a": 3, "b": 1}


@given(plans().filter(lambda plan: plan.format not in DATA_FORMATS))
def test_a_logged_derivative_is_itself(plan: Plan) -> None:
    for variant in list_variants(plan):
        path = canonical_path(variant)
        for marks in ("", "?", "?w=auto", "?exp=hero", "?exp=hero&w=auto"):
            assert parse_target(path + marks)[0] == RequestedVariant(variant, negotiated=True)
        assert RequestedVariant(variant, negotiated=True) in parse_target(quote(path, safe="/"))


@pytest.mark.parametrize(
    ("target", "means"),
    [
        ("/a.jpg", ["/a.jpg"]),
        ("/a.jpg?w=800&h=600&fit=cover", ["/a.jpg?w=800&h=600&fit=cover"]),
        ("/a%20b.jpg?w=320", ["/a%20b.jpg?w=320"]),
        ("/a%2520b.jpg?w=320", ["/a%2520b.jpg?w=320", "/a%20b.jpg?w=320"]),
        ("/a.jpg?crop=pct:0,0,50%2C50", ["/a.jpg?crop=pct:0,0,50,50"]),
        ("/a.jpg?f=json", []),
        ("/a.jpg?f=thumbhash", []),
        ("/a.jpg?w=0", []),
        ("/a.jpg?nonsense=1", []),
        ("/", []),
        ("/a.jpg/_/w-800.exe", []),
        ("/a.jpg/_/w-0800.webp", []),
        ("/a.jpg/_/w-800.webp?w=5", []),
        ("/a.jpg/_/w-800.webp?exp=5", []),
        ("/a.jpg?exp=hero", []),
        ("/%zz", []),
        ("/_/review/style.css", []),
        ("/_/review/api/review/image?key=a.jpg", []),
    ],
)
def test_a_viewers_url_is_a_request(target: str, means: list[str]) -> None:
    assert list(parse_target(target)) == [RequestedVariant(parse_url(url).plan, negotiated=False) for url in means]


@given(st.text(max_size=60))
def test_no_path_makes_the_reading_fail(text: str) -> None:
    assert len(parse_target(f"/{text}")) <= 2


def names_of(*paths: str) -> list[str]:
    return [path.removeprefix("/") for path in paths]


def test_the_variants_of_a_request_are_those_that_its_viewers_get() -> None:
    asked = RequestedVariant(parse_url("/ü.jpg?w=333&h=333&g=face&fit=cover").plan, negotiated=False)
    own = {derivative_name(variant) for variant in list_variants(asked.plan)}
    generation = {name.replace("fit-cover_", "fit-cover_fv-3_") for name in own}
    others = names_of("ü.jpg/_/w-333.auto-webp", "ü.jpg/_/full.refused", "ü.jpg/_/", "ü.jpg/_/w-640.auto-webp")
    assert set(filter_variants(iter([*own, *generation, *others]), asked)) == own | generation
    assert len(generation - own) == len(own) > 3


def test_what_is_always_redacted_is_so_in_variants() -> None:
    asked = RequestedVariant(parse_url("/people/a.jpg?w=333").plan, negotiated=False)
    names = names_of("/people/a.jpg/_/redact-faces_w-333.auto-webp", "/people/a.jpg/_/w-333.auto-webp")
    assert list(filter_variants(iter(names), asked, ForcedOptions.parse("people/=faces"))) == names[:1]
    assert list(filter_variants(iter(names), asked)) == names[1:]


NOON_S = 1_795_608_000.0
NOON = "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(
    ("event", "window"),
    [
        ({"time": NOON}, (NOON_S - HOUR_S, NOON_S)),
        ({"time": NOON, "hours": 24}, (NOON_S - 24 * HOUR_S, NOON_S)),
        ({}, (NOON_S + 7 - HOUR_S, NOON_S + 7)),
        ({"hours": 2}, (NOON_S + 7 - 2 * HOUR_S, NOON_S + 7)),
    ],
)
def test_a_schedules_event_means_the_same_hour_however_late(
    event: dict[str, object], window: tuple[float, float]
) -> None:
    since_s, until_s = window
    assert read_window(event, NOON_S + 7) == Window(since_s - SETTLED_S, until_s - SETTLED_S)


def test_hours_follow_each_other_without_a_gap() -> None:
    first, second = (read_window({"time": f"2026-11-25T{hour}:00:00Z"}, 0) for hour in (11, 12))
    assert first.until_s == second.since_s


@pytest.mark.parametrize(
    ("event", "option"),
    [
        ({"hours": 0}, "hours"),
        ({"hours": 169}, "hours"),
        ({"hours": "1"}, "hours"),
        ({"hours": True}, "hours"),
        ({"time": "noon"}, "time"),
        ({"time": 5}, "time"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(event: dict[str, object], option: str) -> None:
    with pytest.raises(BadOption) as refused:
        read_window(event, NOON_S)
    assert refused.value.option == option
