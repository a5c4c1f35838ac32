"""The monitoring page in a real browser: each view, with every shape of its data."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from local.control_pages import CONSOLE

from . import console_responses as responses
from .browser import CHROMIUM, Page, open_browser
from .console_responses import HOSTILE, LONG_KEY, Responses, serve_console

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

EMPTY = "[...document.querySelectorAll('#view .empty b')].map(each => each.textContent)"
VIEWS = ("on-call", "executive", "debug", "alarms", "traces", "failed", "logs", "index", "review", "audit")


_page: list[tuple[asyncio.Runner, Page]] = []


@pytest.fixture(scope="module", autouse=True)
def browser() -> Iterator[None]:
    """Open one browser for the whole module, in one event loop: starting one takes longer than a test."""
    with asyncio.Runner() as runner:
        opened = open_browser()
        _page.append((runner, runner.run(opened.__aenter__())))
        yield
        _page.clear()
        runner.run(opened.__aexit__(None, None, None))


def on(
    view: str, stage: Responses, act: Callable[[Page], Awaitable[None]], *, width: int = 1280, dark: bool = False
) -> None:
    """Run ``act`` on a view with the responses of ``stage``. Each stage has its own origin and therefore its own
    storage.
    """
    [(runner, page)] = _page

    async def run() -> None:
        async with serve_console(stage) as url:
            page.errors.clear()
            await page.resize(width=width, dark=dark)
            await page.open(f"{url}#/{view}")
            await act(page)
            assert page.errors == []
            assert await page.evaluate("document.title") != "owned"
            await page.open("about:blank")

    runner.run(run())


def one_panel(panel: dict[str, Any], *series: dict[str, Any], value: float | None = None) -> Responses:
    data = responses.shown(*series, value=value)
    return Responses(
        {
            "dashboards": responses.three_dashboards(panel),
            "data": lambda _: {"now_s": time.time(), "panels": {panel["id"]: data}},
        }
    )


async def text(page: Page, selector: str) -> str:
    """Return the text of an element once it exists."""
    await page.until(f"document.querySelector({selector!r})?.innerText")
    return str(await page.evaluate(f"document.querySelector({selector!r}).innerText"))


async def texts(page: Page, selector: str) -> list[str]:
    await page.until(f"!!document.querySelector({selector!r})")
    return list(await page.evaluate(f"[...document.querySelectorAll({selector!r})].map(each => each.textContent)"))


# Formatting and scales: pure modules, evaluated in the browser.

VALUES = [
    ("formatValue(null, 'Count')", "–"),
    ("formatValue(0, 'Percent')", "0 %"),
    ("formatValue(99.95, 'Percent')", "99.95 %"),
    ("formatValue(12.34, '%')", "12.3 %"),
    ("formatValue(499.94, 'ms')", "499.9 ms"),
    ("formatValue(1500, 'Milliseconds')", "1.5 s"),
    ("formatValue(5400, 's')", "1.5 h"),
    ("formatValue(0.0000123, 'USD')", "$0.0000123"),
    ("formatValue(0.5, 'USD')", "$0.50"),
    ("formatValue(12.5, 'USD')", "$12.50"),
    ("formatValue(1e-12, 'USD')", "$≈ 0"),
    ("formatValue(1234, 'Count')", "1,234"),
    ("formatValue(45678, 'Count')", "45.7 k"),
    ("formatValue(2.5e6, 'Bytes')", "2.5 MB"),
    ("formatValue(3, 'messages')", "3"),
    ("formatValue(2, 'Count/Second')", "2/s"),
    ("ago(1000, 1005)", "just now"),
    ("ago(1000, 1060)", "60 s ago"),
    ("ago(1000, 4600)", "60 min ago"),
    ("ago(1000, 1000 + 86400)", "24 h ago"),
]
AXES = [
    ("ticks(0, 10)", [0, 5, 10]),
    ("ticks(0, 0.23)", [0, 0.1, 0.2, 0.3]),
    ("ticks(0, 1000)", [0, 500, 1000]),
    ("valueTicks([1, 2], 'ms').marks", [0, 0.5, 1, 1.5, 2]),
    ("valueTicks([1, 2], 'messages').marks", [0, 1, 2]),
    ("valueTicks([0, 0], 'Count').marks", [0, 1]),
    ("valueTicks([40], 'Percent').marks", [0, 50, 100]),
    ("valueTicks([0], 'Percent').marks", [0, 0.5, 1]),
    ("valueTicks([99.2, 99.9], 'Percent').marks[0]", 99.2),
    ("valueTicks([99.2, 99.9], 'Percent', 99.9).marks.at(-1)", 100),
    ("valueTicks([100], '%', 99.9).marks.at(-1)", 100),
    ("valueTicks([10], 'ms', 500)", {"marks": [0, 5, 10], "targetShown": False}),
    ("valueTicks([200], 's').marks", [0, 60, 120, 180, 240]),
    ("valueTicks([163_000], 'ms').marks", [0, 60_000, 120_000, 180_000]),
    ("valueTicks([3e6], 's').marks[1]", 9 * 86400),
    ("valueTicks([200], 'ms', 500)", {"marks": [0, 200, 400, 600], "targetShown": True}),
    ("valueTicks([-2, 3], 'Count').marks", [-2, 0, 2, 4]),
    ("splitRuns([[0, 1], [60, 2], [120, null], [180, 3]])", [[[0, 1], [60, 2]], [[180, 3]]]),
    ("splitRuns([[0, 1], [60, 2], [120, 2], [600, 3]])", [[[0, 1], [60, 2], [120, 2]], [[600, 3]]]),
    ("splitRuns([])", []),
    ("nearest([[0, 1], [60, null], [120, 2]], 70, 60)", [120, 2]),
    ("nearest([[0, 1]], 100, 60)", None),
    ("timeTicks(0, 3600, 6)", {"marks": [0, 600, 1200, 1800, 2400, 3000, 3600], "step_s": 600}),
    ("timeTicks(10, 7 * 86400, 8).step_s", 86400),
]
SPANS = [
    ("listSpans([], 0, 10)", [{"state": "INSUFFICIENT_DATA", "from_s": 0, "to_s": 10}]),
    (
        "listSpans([{at_s: 4, from: 'OK', to: 'ALARM'}], 0, 10)",
        [{"state": "OK", "from_s": 0, "to_s": 4}, {"state": "ALARM", "from_s": 4, "to_s": 10}],
    ),
    (
        "listSpans([{at_s: -9, from: 'OK', to: 'ALARM'}, {at_s: 6, from: 'ALARM', to: 'OK'}], 0, 10)",
        [{"state": "ALARM", "from_s": 0, "to_s": 6}, {"state": "OK", "from_s": 6, "to_s": 10}],
    ),
    ("listSpans([{at_s: -9, from: 'OK', to: 'ALARM'}], 0, 10)", [{"state": "ALARM", "from_s": 0, "to_s": 10}]),
]
HASHES = [
    ("parseHash('')", {"view": "", "part": "", "query": {}}),
    ("parseHash('#/traces/1-2%2F3?q=a%26b')", {"view": "traces", "part": "1-2/3", "query": {"q": "a&b"}}),
    ("parseHash('#/traces/%')", {"view": "traces", "part": "%", "query": {}}),
    ("viewHash('index', '', {key: 'a b&c', state: ''})", "#/index?key=a+b%26c"),
    ("parseHash(viewHash('index', '', {key: 'Ä+ &/?#%'})).query.key", "Ä+ &/?#%"),
    ("address('traces', {q: '', minutes: 5})", "/_local/watch/traces?minutes=5"),
    ("formatJson({box: [0.1, 2]})", '{\n  "box": [ 0.1, 2 ]\n}'),
]


@pytest.mark.slow
def test_formatting_and_scales() -> None:
    cases = (("format", VALUES), ("scales", AXES), ("alarms", SPANS), ("page", HASHES))

    async def act(page: Page) -> None:
        for module, pairs in cases:
            names = ", ".join({expression.split("(")[0] for expression, _ in pairs})
            bound = f"import('/_local/console/watch-{module}.js').then(({{ {names} }}) => "
            for expression, expected in pairs:
                assert await page.evaluate(f"{bound}{expression})") == expected, expression

    on("executive", Responses(), act)


# Dashboards.


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_view_describes_what_fills_it(view: str) -> None:
    async def act(page: Page) -> None:
        await page.until(f"{EMPTY}.length || document.querySelector('.aim')")
        expected = {
            "alarms": ["No alarms loaded", "No alarm changed in this time range"],
            "traces": ["No traces"],
            "failed": ["No failures"],
            "logs": ["No log lines"],
            "index": ["The index is empty"],
            "review": ["No reviews"],
            "audit": ["No entries"],
        }.get(view)
        if expected:
            await page.until(f"{EMPTY}.length === {len(expected)}")
            assert await page.evaluate(EMPTY) == expected
        else:
            await page.until(f"{EMPTY}.length === {len(responses.KINDS) - 1}")
            assert await text(page, ".number .aim") == "no data yet"
        assert await page.evaluate("document.querySelector('#tabs [aria-current]').hash") == f"#/{view}"

    on(view, Responses(), act)


def test_a_line_chart_has_axis_target_legend_and_description() -> None:
    panel = responses.panel("latency", "line", unit="Milliseconds", target=500)
    stage = one_panel(panel, responses.series("p95", 120, 180, 240), responses.series("p99", 300, None, 480))

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.chart path.series').length === 1")
        ended = await texts(page, ".chart .tick[text-anchor=end]")  # and the last time label, if it is at the edge
        assert [tick for tick in ended if ":" not in tick] == ["0 ms", "200 ms", "400 ms", "600 ms"]
        assert await texts(page, ".chart text.goal") == ["target 500 ms"]
        assert await texts(page, ".legend-row li") == ["p95240 ms", "p99480 ms"]
        label = await page.evaluate("document.querySelector('.chart').getAttribute('aria-label')")
        assert label.startswith("Panel latency. p95: latest 240 ms, lowest 120 ms, highest 240 ms.")
        assert "Target 500 ms" in label
        # Points with a gap between them are not joined: two dots.
        assert await page.evaluate("document.querySelectorAll('.chart circle.dot.s1').length") == 2

    on("executive", stage, act)


def test_the_target_is_placed_by_the_axis() -> None:
    stage = one_panel(responses.panel("x", "line", target=5), responses.series("a", 0, 10, 0))

    async def act(page: Page) -> None:
        await page.until("!!document.querySelector('.chart line.goal')")
        y = "Number(document.querySelector('.chart line.goal').getAttribute('y1'))"
        marks = "[...document.querySelectorAll('.chart .grid, .chart .base')].map(l => Number(l.getAttribute('y1')))"
        low, middle, high = await page.evaluate(marks)
        assert await page.evaluate(y) == pytest.approx(middle) == pytest.approx((low + high) / 2)

    on("executive", stage, act)


def test_one_point_is_a_dot_and_constant_zeros_are_only_listed() -> None:
    names = ("ingest", "purge", "sweep", "upload")
    stage = one_panel(
        responses.panel("x", "line"), responses.series("alone", 3), *(responses.series(each, 0, 0) for each in names)
    )

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.chart circle.dot').length === 1")
        assert await page.evaluate("document.querySelectorAll('.chart path.series').length") == 0
        assert (await texts(page, ".legend-row li"))[-1] == "0 throughout: ingest, purge, sweep, upload"

    on("executive", stage, act)


def test_pointer_and_arrow_keys_show_values() -> None:
    stage = one_panel(
        responses.panel("x", "line", unit="ms"), responses.series("a", 10, 20, 30), responses.series("b", 1, 2, 3)
    )
    key = "document.querySelector('.chart').dispatchEvent(new KeyboardEvent('keydown', {{ key: '{}' }}))"

    async def act(page: Page) -> None:
        await page.until("!!document.querySelector('.chart path')")
        await page.evaluate("document.querySelector('.chart').focus()")
        reading = "[...document.querySelectorAll('.reading div')].map(each => each.textContent)"
        for arrow, expected in (
            ("ArrowLeft", ["a30 ms", "b3 ms"]),
            ("ArrowLeft", ["a20 ms", "b2 ms"]),
            ("ArrowLeft", ["a10 ms", "b1 ms"]),
            ("ArrowLeft", ["a10 ms", "b1 ms"]),
            ("ArrowRight", ["a20 ms", "b2 ms"]),
        ):
            await page.evaluate(key.format(arrow))
            assert await page.evaluate(reading) == expected
        await page.evaluate(key.format("Escape"))
        assert await page.evaluate("document.querySelector('.reading').hidden")
        box = await page.evaluate("(b => [b.right, b.top])(document.querySelector('.chart').getBoundingClientRect())")
        await page.point(box[0] - 15, box[1] + 60)
        assert await page.evaluate(reading) == ["a30 ms", "b3 ms"]

    on("executive", stage, act)


@pytest.mark.slow
def test_numbers_bars_and_tables() -> None:
    async def number(page: Page) -> None:
        assert await text(page, ".number .value") == "99.972 %"
        assert await text(page, ".number .aim") == "target 99.9 %"

    percent = responses.panel("x", "number", unit="Percent", target=99.9)
    on("executive", one_panel(percent, responses.series("a", 100, 99), value=99.972), number)

    async def bars(page: Page) -> None:
        assert await texts(page, ".bars li") == ["damaged7", "unsigned3"]
        widths = "[...document.querySelectorAll('.bars i')].map(bar => bar.style.width)"
        assert await page.evaluate(widths) == ["100%", pytest.approx("42.8571%")] or (await page.evaluate(widths))[
            1
        ].startswith("42.85")

    errors = responses.panel("x", "bars", unit="errors")
    on("executive", one_panel(errors, responses.series("unsigned", 1, 2), responses.series("damaged", 7, None)), bars)

    async def table(page: Page) -> None:
        assert await texts(page, ".figures tbody tr") == ["ingest500 MB600 MB"]

    on("executive", one_panel(responses.panel("x", "table", unit="MB"), responses.series("ingest", 600, 500)), table)


@pytest.mark.slow
def test_data_are_refreshed_unless_paused() -> None:
    rounds: list[float] = []
    panel = responses.panel("x", "number")

    def data(_: web.Request) -> Any:
        rounds.append(time.time())
        return {"now_s": time.time(), "panels": {"x": responses.shown(value=len(rounds))}}

    stage = Responses({"dashboards": responses.three_dashboards(panel), "data": data})

    async def act(page: Page) -> None:
        await page.until("Number(document.querySelector('.number .value')?.innerText) >= 2")
        await page.evaluate("document.getElementById('live').click()")
        assert await text(page, "#live") == "Paused"
        # Resuming refreshes at once: one more round is all that happened meanwhile.
        before = len(rounds)
        await page.evaluate("document.getElementById('live').click()")
        await page.until(f"Number(document.querySelector('.number .value').innerText) === {before + 1}")

    on("executive", stage, act)


@pytest.mark.slow
def test_the_time_range_is_sent_and_stored() -> None:
    stage = Responses()

    async def act(page: Page) -> None:
        await page.until(f"{EMPTY}.length > 2")
        change = "const m = document.getElementById('minutes'); m.value = '360'; m.dispatchEvent(new Event('change'));"
        await page.evaluate(f"{{ {change} }}")
        await page.until(f"{EMPTY}.some(each => each.includes('6 hours'))")
        assert "data?dashboard=executive&minutes=360" in stage.requested
        await page.evaluate("location.hash = '#/logs'")
        await page.until(f"{EMPTY}.includes('No log lines')")
        assert "logs?minutes=360" in stage.requested

    on("executive", stage, act)


@pytest.mark.slow
def test_an_unreachable_stack_is_reported_and_old_data_stay() -> None:
    stage = one_panel(responses.panel("x", "number"), value=7)

    async def act(page: Page) -> None:
        await page.until("document.querySelector('.number .value')?.innerText === '7'")
        stage.broken = True
        assert "The stack answered 502" in await text(page, "#trouble")
        assert await text(page, ".number .value") == "7"
        stage.broken = False
        await page.until("document.getElementById('trouble').innerText === ''")

    on("executive", stage, act)


@pytest.mark.slow
def test_a_view_that_failed_to_open_is_retried() -> None:
    stage = one_panel(responses.panel("x", "number"), value=7)
    stage.broken = True

    async def act(page: Page) -> None:
        assert "502" in await text(page, "#trouble")
        stage.broken = False
        await page.until("document.querySelector('.number .value')?.innerText === '7'")

    on("executive", stage, act)


def test_an_unknown_view_is_reported() -> None:
    async def act(page: Page) -> None:
        await page.until(f"{EMPTY}.length === 1")
        assert "nonsense" in (await page.evaluate(EMPTY))[0]

    on("nonsense", Responses(), act)


# Alarms.


def test_alarms_are_sorted_by_urgency_and_link_to_runbooks() -> None:
    alarms = [
        responses.alarm("quiet"),
        responses.alarm("unknown", "INSUFFICIENT_DATA", value=None),
        responses.alarm("ticket", "ALARM", reason="0.3 over 0.2"),
        responses.alarm("silenced", "ALARM", pages=True, composite=True, suppressed=True),
        responses.alarm("page", "ALARM", pages=True, composite=True),
    ]
    stage = Responses({"alarms": alarms})

    async def act(page: Page) -> None:
        names = "[...document.querySelectorAll('.alarms th[scope=row] span:first-child')].map(each => each.textContent)"
        await page.until(f"{names}.length === 5")
        assert await page.evaluate(names) == [
            f"Alarm {name}" for name in ("page", "ticket", "silenced", "unknown", "quiet")
        ]
        assert await texts(page, ".alarms tbody td:first-child") == ["✕ alarm"] * 3 + ["? no data", "● ok"]
        assert (await texts(page, ".alarms .against"))[1] == "0.3 against threshold 0.2"
        assert [await text(page, f"#count-{name}") for name in ("alarms", "pages")] == ["3", "1"]
        assert (await text(page, "#active-alarms")).split("\n") == ["✕ Page: Alarm page runbook"]
        await page.evaluate("document.querySelector('.runbook').click()")
        assert await text(page, ".runbook-text h2") == "Model endpoint down"
        assert "aws sqs get-queue-attributes" in await text(page, ".runbook-text .command pre")

    on("alarms", stage, act)


def test_parts_of_an_alarm_are_folded_below_it() -> None:
    """Pages come first, then tickets; what sends no notification is in the alarm that it is a part of."""
    of = "viewers"
    alarms = [
        responses.alarm("a-part", "ALARM", part_of=of),
        responses.alarm("b-part", part_of=of),
        responses.alarm("a-ticket", "ALARM"),
        responses.alarm(of, "ALARM", pages=True, composite=True),
        responses.alarm("quiet"),
    ]
    stage = Responses({"alarms": alarms})

    def names(rows: str) -> str:
        return (
            f"[...document.querySelectorAll('{rows} > tbody > tr > th span:first-child')].map(each => each.textContent)"
        )

    async def act(page: Page) -> None:
        await page.until(f"{names('.alarms:not(.parts)')}.length >= 2")
        assert await page.evaluate(names(".alarms:not(.parts)")) == [f"Alarm {of}", "Alarm a-ticket", "Alarm quiet"]
        assert await page.evaluate(names(".alarms.parts")) == ["Alarm a-part", "Alarm b-part"]
        summaries = (
            "[...document.querySelectorAll('#view details:not([hidden]) > summary')].map(each => each.textContent)"
        )
        assert await page.evaluate(summaries) == ["2 parts, 1 in ALARM", "1 other alarm, none in ALARM"]
        assert await page.evaluate("document.querySelector('.inside details').open") is False
        await page.evaluate("document.querySelector('.inside details').open = true")
        alarms[0]["value"] = 0.4
        await page.until("document.querySelector('.parts .against').textContent.startsWith('0.4')")
        assert await page.evaluate("document.querySelector('.inside details').open") is True, "an update closes nothing"

    on("alarms", stage, act)


def test_a_page_links_each_runbook_of_its_active_alarms() -> None:
    both = [f"docs/guides/runbooks/{name}.md" for name in ("bad-deploy", "cache-storm")]
    stage = Responses({"alarms": [responses.alarm("page", "ALARM", pages=True, composite=True, runbooks=both)]})

    async def act(page: Page) -> None:
        assert await text(page, "#active-alarms") == "✕ Page: Alarm page runbook bad-deploy runbook cache-storm"

    on("alarms", stage, act)


def test_tickets_are_listed_on_top_without_pages() -> None:
    alarms = [responses.alarm("budget", "ALARM", composite=True), responses.alarm("part", "ALARM", part_of="budget")]
    stage = Responses({"alarms": [responses.alarm("drift", "ALARM"), responses.alarm("quiet"), *alarms]})

    async def act(page: Page) -> None:
        lines = [f"▲ Ticket: Alarm {name} runbook" for name in ("budget", "drift")]
        assert (await text(page, "#active-alarms")).split("\n") == lines

    on("index", stage, act)


def test_the_on_call_view_begins_with_what_is_wrong() -> None:
    """Not with parts of an alarm, nor with one that another one suppresses; commands are those of the first runbook."""
    both = [f"docs/guides/runbooks/{name}.md" for name in ("redrive", "bad-deploy")]
    alarms = [
        responses.alarm("ticket", "ALARM", runbooks=[], noticed=""),
        responses.alarm("part", "ALARM", part_of="page"),
        responses.alarm("silenced", "ALARM", pages=True, composite=True, suppressed=True),
        responses.alarm("page", "ALARM", pages=True, composite=True, runbooks=both),
        responses.alarm("quiet"),
    ]
    stage = Responses({"alarms": alarms})

    async def act(page: Page) -> None:
        assert await texts(page, ".wrong h3") == ["Alarm page", "Alarm ticket"]
        assert await text(page, ".incident .status") == "2 things are wrong"
        assert not await page.evaluate("document.querySelector('#active-alarms').checkVisibility()")
        [paged, ticket] = await texts(page, ".wrong > li")
        assert re.search(r"✕ pagesince [\d:-]+, 20 min agoUsers notice: images are late\.", paged)
        assert paged.endswith("runbook redrive runbook bad-deploy")
        assert re.fullmatch(r"Alarm ticket▲ ticketsince [\d: -]+, 20 min ago", ticket)
        [commands] = await texts(page, ".wrong pre")
        assert commands.startswith("outputs=$(aws cloudformation describe-stacks")
        assert "./darkroom redrive" in commands
        await page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
        await page.evaluate("document.querySelector('.wrong button').click()")
        assert await text(page, ".wrong button") == "Copied"
        assert await page.evaluate("window.copied") == commands
        for each in alarms:
            each["state"] = "OK"
        for _ in ("paused", "live"):  # which updates the page at once
            await page.evaluate("document.getElementById('live').click()")
        await page.until("document.querySelector('.incident').innerText === 'Nothing is wrong'")

    on("on-call", stage, act)


def test_the_history_of_alarms() -> None:
    history = [
        responses.change("drift", "ALARM", "OK", 10),
        responses.change("drift", "OK", "ALARM", 30),
        responses.change("quiet", "INSUFFICIENT_DATA", "OK", 50),
    ]
    stage = Responses({"alarms": [responses.alarm("drift"), responses.alarm("quiet")], "alarms/history": history})

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.lane').length === 1")
        parts = (
            "[...document.querySelectorAll('.lane i')].map(i => [i.className, Math.round(parseFloat(i.style.width))])"
        )
        assert await page.evaluate(parts) == [["OK", 50], ["ALARM", 33], ["OK", 17]]
        label = await page.evaluate("document.querySelector('.lane').getAttribute('aria-label')")
        assert label == "Alarm drift: entered ALARM once"
        lines = await texts(page, ".logs .message")
        assert lines == ["Alarm drift", "Alarm drift", "Alarm quiet"]
        assert await page.evaluate("document.querySelectorAll('#view details[open]').length") == 0
        assert (await texts(page, ".folded:not([hidden]) > summary"))[-1] == "1 change without ALARM"

    on("alarms", stage, act)


# Traces.


def deep(depth: int) -> dict[str, Any]:
    inner = responses.segment("innermost", depth, 1, status="fault", annotations={"code": HOSTILE})
    for at in reversed(range(depth)):
        inner = responses.segment(f"level-{at}", at, 100 - at, inner)
    return inner


@pytest.mark.slow
def test_a_trace_is_searched_and_shown_as_a_waterfall() -> None:
    whole = {
        "trace_id": "1-6925c0de-000000000000000000000001",
        "started_s": time.time(),
        "duration_ms": 200,
        "segments": [
            responses.segment(
                "darkroom-transform",
                0,
                100,
                responses.segment("fetch", 10, 40),
                responses.segment("encode", 50, 50, status="fault"),
                kind="function",
                annotations={"format": "avif", "cold": True},
                metadata={"key": "trips/rome.jpg"},
            ),
            responses.segment("endpoint", 100, 100, kind="remote"),
        ],
    }
    traces = [responses.trace(1, 200, "ok", edge_request_id="abc=="), responses.trace(2, 50, "fault")]
    stage = Responses(
        {"traces": lambda request: traces[:1] if request.query.get("q") == "abc==" else traces, "traces/*": whole}
    )

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.traces li').length === 2")
        search = "const q = document.querySelector('[name=q]'); q.value = ' abc== '; q.form.requestSubmit();"
        await page.evaluate(f"{{ {search} }}")
        await page.until("document.querySelectorAll('.traces li').length === 1")
        assert "abc==" in await text(page, ".traces .notes")
        await page.evaluate("document.querySelector('.traces .name').click()")
        await page.until("document.querySelectorAll('.segment').length === 4")
        assert any(path.startswith("traces/1-6925c0de-000000000000000000000001") for path in stage.requested)
        assert await texts(page, ".segment-name") == ["darkroom-transform", "fetch", "encode ✕ fault", "endpoint"]
        assert await page.evaluate("document.querySelectorAll('.waterfall > ol > li').length") == 2
        bars = "[...document.querySelectorAll('.segment .bar-track i')].map(bar => [bar.style.left, bar.style.width])"
        assert await page.evaluate(bars) == [["0%", "50%"], ["5%", "20%"], ["25%", "25%"], ["50%", "50%"]]
        await page.evaluate("document.querySelector('.segment').focus()")
        await page.press("Enter")
        await page.evaluate("document.querySelector('.segment').click()")
        opened = await text(page, ".segment-details")
        assert "avif" in opened
        assert "trips/rome.jpg" in opened
        key = "document.querySelector('.segment-details .key').hash"
        assert await page.evaluate(key) == "#/index?key=trips%2Frome.jpg"

    on("traces", stage, act)


def test_a_deep_trace_with_hostile_text_fits_the_page() -> None:
    stage = Responses({"traces/*": {"trace_id": "x", "started_s": 1.0, "duration_ms": 100, "segments": [deep(40)]}})

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.segment').length === 41")
        await page.evaluate("[...document.querySelectorAll('.segment')].at(-1).click()")
        await page.until("!!document.querySelector('.segment-details')")
        assert HOSTILE in await page.evaluate("document.querySelector('.segment-details').textContent")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

    on("traces/x", stage, act, width=390)


def test_a_search_without_results_is_explained() -> None:
    async def act(page: Page) -> None:
        await page.until(f"{EMPTY}.some(each => each.includes('“gone”'))")

    on("traces?q=gone", Responses(), act)


# Failed samples, logs, index.


@pytest.mark.slow
def test_failures_have_reason_code_and_image() -> None:
    samples = [
        responses.failed(picture="/_picture"),  # terms: allow
        responses.failed("dead-letter", key=LONG_KEY, code="internal", reason=HOSTILE, trace_id=""),
        responses.failed("render", code="too-large", key=""),
    ]

    async def act(page: Page) -> None:
        await page.until("document.querySelector('.thumb img')?.naturalWidth")
        assert await texts(page, ".thumb") == ["", "no image", "no image"]
        assert await texts(page, ".file .chip") == ["rejected upload", "DLQ message", "render"]
        assert (await texts(page, ".reason"))[:2] == [
            "damaged The image is damaged: it ends too early",
            f"internal {HOSTILE}",
        ]
        assert await page.evaluate("document.querySelectorAll('.to-trace').length") == 2
        pick = "const k = document.querySelector('[name=kind]'); k.value = 'render'; k.form.requestSubmit();"
        await page.evaluate(f"{{ {pick} }}")
        await page.until("document.querySelectorAll('.file').length === 1")
        assert "too-large" in await text(page, ".reason")

    on("failed", Responses({"failed": samples}), act)


def test_an_image_that_cannot_be_displayed_is_replaced_by_text() -> None:
    broken = Responses(
        {
            "failed": [responses.failed(picture="/_local/watch/failed/picture?key=x")],  # terms: allow
            "failed/picture": {},
        }
    )

    async def act(page: Page) -> None:
        await page.until("document.querySelector('.thumb')?.textContent === 'no image'")

    on("failed", broken, act)


@pytest.mark.slow
def test_logs_are_grouped_by_code() -> None:
    lines = [
        responses.line("refused", took_ms=12, why=HOSTILE),
        responses.line("refused"),
        responses.line("rendered", "", "INFO"),
        responses.line(HOSTILE, "internal", "ERROR"),
    ]

    def logs(request: web.Request) -> Any:
        code = request.query.get("code", "")
        return [each for each in lines if not code or each["code"] == code]

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.logs > li').length === 4")
        assert sorted(await texts(page, ".codes li")) == ["damaged2", "internal1", "without a code1"]
        await page.evaluate("document.querySelector('.logs summary').click()")
        assert HOSTILE in await text(page, ".logs details .known")
        await page.evaluate("document.querySelector('.codes a').click()")
        await page.until("document.querySelectorAll('.logs > li').length === 2")
        assert await page.evaluate("document.querySelector('.codes a').getAttribute('aria-current')") == "true"

    on("logs", Responses({"logs": logs}), act)


def test_samples_have_their_inputs_and_the_output_of_each_task() -> None:
    lines = [
        responses.sample("trips/rome.jpg", faces=(0.98, False), text=(None, True)),
        responses.sample(HOSTILE, similarity=(None, False)),
    ]
    stage = Responses({"samples": lines})
    stage.answers["dashboards"] = responses.three_dashboards(responses.panel("samples", "samples"))

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.samples > li').length === 2")
        first, second = ".samples > li:first-child", ".samples > li:last-child"
        inputs = ["inputjpeg, 12 MP", "brightness40 %"]
        assert await texts(page, f"{first} .known div") == [*inputs, "faces98 %", "textnothing"]
        assert await texts(page, f"{second} .known div") == [*inputs, "similarityfound"]
        assert await text(page, f"{first} .chip") == "endpoint: main"
        assert await text(page, f"{second} .message a") == HOSTILE
        assert "samples?minutes=60" in stage.requested

    on("debug", stage, act)


@pytest.mark.slow
def test_the_index_has_pages_and_full_records() -> None:
    record = responses.row("a/ü &#1.jpg") | {
        "sha256": "ab" * 32,
        "findings": {"tasks": {"faces": {"model": HOSTILE, "version": "1", "by": "endpoint", "faces": []}}},
    }

    def index(request: web.Request) -> Any:
        if request.query.get("after"):
            return {"rows": [responses.row("z.jpg", "held")], "next": ""}
        return {"rows": [responses.row("a/ü &#1.jpg"), responses.row(LONG_KEY, "source")], "next": "a cursor"}

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.index .file').length === 2")
        await page.until("document.querySelector('.index img')?.naturalWidth")
        assert "not served" not in await text(page, "#view")
        await page.evaluate("document.querySelector('.more a').click()")
        await page.until("document.querySelector('.index .key')?.textContent === 'z.jpg'")
        assert await text(page, ".index .thumb") == "not served"
        assert await texts(page, ".more a") == ["← first page"]
        await page.evaluate("document.querySelector('.more a').click()")
        await page.until("document.querySelectorAll('.index .file').length === 2")
        await page.evaluate("document.querySelector('.index .key').click()")
        await page.until("document.querySelector('.master img')?.naturalWidth")
        await page.until("document.querySelector('.master')?.getAttribute('href') === '/a/%C3%BC%20%26%231.jpg'")
        assert "900 × 600" in await text(page, ".known")
        assert await text(page, ".task .by") == f"{HOSTILE} 1"

    on("index", Responses({"index": index, "index/record": record}), act)


def test_the_index_is_filtered() -> None:
    stage = Responses()

    async def act(page: Page) -> None:
        await page.until(f"{EMPTY}.length === 1")
        fill = """const [p, s] = [document.querySelector('[name=prefix]'), document.querySelector('[name=state]')];
          p.value = 'trips/'; s.value = 'held'; p.form.requestSubmit();"""
        await page.evaluate(f"{{ {fill} }}")
        await page.until(f"{EMPTY}[0] === 'No image matches'")
        assert "index?prefix=trips%2F&state=held&limit=50" in stage.requested

    on("index", stage, act)


# The audit log, whose module the review app has too. Its other views are in test_review_page.py.


IMAGE = f"sha256:{'3f9c1d7a5b20' * 5}3f9c"
LATER = datetime(2026, 11, 25, 13, 30)  # local time, as the page shows it
UNTIL = {"until_s": int(LATER.timestamp())}
VERSION = "arn:aws:sagemaker:eu-central-1:123456789012:model-package/darkroom-models/4"
DEPLOYMENT = {"deployment_id": "d-1", "group": "darkroom-transform"}
ENTRIES: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("decision", "fallback", "monitor", {"move": "on", "reason": "12 of 20 calls failed"} | UNTIL,
     "The monitor turned the switch fallback on until 2026-11-25 13:30:00, with the reason “12 of 20 calls failed”."),
    ("decision", "fallback", "monitor", {"move": "off", "reason": "", "until_s": 0},
     "The monitor turned the switch fallback off."),
    ("decision", "ingest dead letters", "monitor", {"redriven": 3, "left": 1, "codes": {"unavailable": 2, "none": 1}},
     "The monitor returned 3 messages of the DLQ of ingest to the queue (2 × unavailable, 1 × no cause), "
     "and left 1 there."),
    ("decision", "darkroom-models", "monitor",
     {"action": "rollback", "canary": "canary", "incumbent": "main", "reasons": ["disagreement 0.4", "errors 0.1"]},
     "The monitor rolled the model variant canary of the endpoint darkroom-models back to main, with the reason "
     "“disagreement 0.4; errors 0.1”."),
    ("decision", "darkroom-models", "monitor",
     {"action": "promote", "canary": "canary", "incumbent": "main", "reasons": []},
     "The monitor promoted the model variant canary of the endpoint darkroom-models, which replaces main."),
    ("decision", "experiment:hero", "monitor", {"action": "stop", "stopped": "b", "winner": "", "reason": HOSTILE},
     f"The monitor stopped the variant b of the experiment hero, with the reason “{HOSTILE}”."),
    ("decision", "experiment:hero", "monitor", {"action": "promote", "stopped": "b", "winner": "a", "reason": "clicks"},
     "The monitor ended the experiment hero with the winner a, with the reason “clicks”."),
    ("decision", "baseline", "monitor", {"n": 500, "why": "the first"},
     "The monitor created a baseline for drift from 500 samples, as there was none."),
    ("override", IMAGE, "Ada <ada@example.com>", {"decision": "release", "flagged": True},
     "Ada <ada@example.com> released the image 3f9c1d7a5b20, which was flagged."),
    ("override", IMAGE, "a person", {"decision": "confirm", "flagged": False},
     "A person decided that the image 3f9c1d7a5b20 stays held."),
    ("override", "switch presets-only", "ada", {"on": True, "reason": "a storm of misses"} | UNTIL,
     "ada turned the switch presets-only on until 2026-11-25 13:30:00, with the reason “a storm of misses”."),
    ("override", "watch/manifests/2026-11-28/reviewed.manifest", "ada", {"images": 1},
     "ada reviewed the tags of 1 image in watch/manifests/2026-11-28/reviewed.manifest."),
    ("release", "darkroom", "codedeploy", {"state": "FAILURE"} | DEPLOYMENT,
     "CodeDeploy could not complete the deployment d-1 of darkroom-transform."),
    ("release", VERSION, "ada", {"decision": "reject", "why": "worse on the golden set"},
     "ada rejected version 4 of the model darkroom-models, with the reason “worse on the golden set”."),
    ("erasure", IMAGE, "arn:aws:sts::123456789012:assumed-role/support/ada",
     {"removed": {"media": 3, "uploads": 1}, "failed": {"cdn": "unavailable"}},
     "support/ada erased the image 3f9c1d7a5b20: 4 objects removed, not yet complete in cdn."),
    ("access", IMAGE, "Grace", {"action": "hold", "record": 7},
     "Grace set a legal hold on the image 3f9c1d7a5b20 (record 7)."),
]  # fmt: skip
"""Kind, subject, actor and facts as they are written, and the sentence about them."""


def audited(kind: str, subject: str, by: str, facts: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(time.time() - 600, UTC).isoformat(timespec="milliseconds")
    return {"at": at, "kind": kind, "subject": subject, "by": by, "facts": facts}


def test_the_audit_log_is_read_in_sentences() -> None:
    log = [audited(*entry) for *entry, _ in ENTRIES]
    log += [audited("gossip", "a", "b", {}), audited("decision", "new", "monitor", {"later": 1})]
    choose = """(kind => { kind.value = 'release'; kind.dispatchEvent(new Event('change')); })(
      document.querySelector('select[name=kind]'))"""

    async def act(page: Page) -> None:
        assert await texts(page, ".audit .message") == [sentence for *_, sentence in ENTRIES]
        assert await texts(page, ".audit > li > pre") == [json.dumps(one, indent=2) for one in log[-2:]]
        assert (await texts(page, ".audit time"))[0] == "10 min ago"
        await page.evaluate("document.querySelector('.audit summary').click()")
        assert json.loads(await text(page, ".audit details[open] pre")) == log[0]
        await page.evaluate(choose)
        assert len(await texts(page, ".audit > li")) == 2
        assert await page.evaluate("location.hash") == "#/audit?kind=release"

    on("audit", Responses({"audit": log}), act)


@pytest.mark.parametrize(("kind", "shown"), [("erasure", ["No entry of this kind"]), ("gone", [])])
def test_the_audit_log_is_filtered_by_its_address(kind: str, shown: list[str]) -> None:
    async def act(page: Page) -> None:
        await page.until("!!document.querySelector('#view :is(.audit, .empty)')")
        assert await page.evaluate(EMPTY) == shown

    on(f"audit?kind={kind}", Responses({"audit": [audited("release", "a", "b", {})]}), act)


# Everywhere.


def full() -> Responses:
    """Return responses with many, long and hostile values for every view."""
    hostile = responses.series(HOSTILE, 1, 2, 3)
    data = {
        kind: responses.shown(hostile, responses.series(LONG_KEY, 3, 2), value=3)
        for kind in ("number", "line", "bars", "table")
    }
    return Responses(
        {
            "data": lambda _: {"now_s": time.time(), "panels": data},
            "alarms": [
                responses.alarm(LONG_KEY, "ALARM", title=HOSTILE, reason=LONG_KEY, pages=True),
                responses.alarm(LONG_KEY),
            ],
            "alarms/history": [responses.change(LONG_KEY, "OK", "ALARM", 5)],
            "traces": [responses.trace(1, 1e6, "fault", code=HOSTILE, edge_request_id=LONG_KEY)],
            "failed": [responses.failed(key=LONG_KEY, reason=HOSTILE)],
            "logs": [responses.line(LONG_KEY, HOSTILE, "ERROR", **{LONG_KEY: LONG_KEY})],
            "samples": [responses.sample(LONG_KEY, **{HOSTILE: (1.0, False), LONG_KEY: (None, True)})],
            "index": {"rows": [responses.row(LONG_KEY), responses.row(HOSTILE, HOSTILE)], "next": LONG_KEY},
            "review": [{"key": LONG_KEY, "version": "v", "since_s": 1.0, "width": 9, "height": 6, "format": HOSTILE}],
            "audit": [
                audited("erasure", LONG_KEY, HOSTILE, {}),
                audited(LONG_KEY, HOSTILE, LONG_KEY, {HOSTILE: LONG_KEY}),
            ],
        }
    )


FULL = {"alarms": ".alarms", "traces": ".traces li", "index": ".file", "review": ".review"}


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1400])
def test_views_fit_the_window_and_text_is_not_markup(width: int) -> None:
    async def act(page: Page) -> None:
        for view in VIEWS:
            await page.evaluate(f"location.hash = '#/{view}'")
            await page.until(f"document.querySelector('#tabs [aria-current]').hash === '#/{view}'")
            await page.until(f"!!document.querySelector('#view :is({FULL.get(view, '.panel, .rows li, .file')})')")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, view
            outside = """[...document.querySelectorAll('#view *')].filter(each =>
              !each.closest('svg, .preview, .spoken') && each.getBoundingClientRect().right > innerWidth + 1)
              .map(each => each.outerHTML.slice(0, 200))"""
            assert await page.evaluate(outside) == [], view
            assert await page.evaluate("document.querySelectorAll('#view script, #view img[onerror]').length") == 0

    on("executive", full(), act, width=width)


CONTRAST = """(() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = colour => parse(colour).slice(0, 3).map(part => linear(part / 255))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = each => {
    for (let at = each; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parse(colour)[3] ?? 1) > 0) return colour;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  const ratio = (each, name) => {
    const [low, high] = [getComputedStyle(each)[name], behind(each)].map(light).sort((one, other) => one - other);
    return (high + 0.05) / (low + 0.05);
  };
  const words = each => [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  const shown = each => each.checkVisibility() && !each.closest('.spoken, select, :disabled');
  const texts = [...document.querySelectorAll('body *')].filter(each => shown(each) && words(each));
  const lines = [...document.querySelectorAll('.series')];
  const describe = each => each.outerHTML.slice(0, 120);
  return [
    texts.length > 10,
    texts.filter(each => ratio(each, each.closest('svg') ? 'fill' : 'color') < 4.5).map(describe),
    lines.filter(each => ratio(each, 'stroke') < 3).map(describe),
  ];
})()"""


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_text_and_lines_have_enough_contrast(dark: bool) -> None:
    six = [responses.series(f"series {at}", at + 1, at + 2) for at in range(6)]
    stage = full()
    line = responses.panel("line", "line", target=3)
    stage.answers["dashboards"] = responses.three_dashboards(line, responses.panel("logs", "logs"))
    stage.answers["data"] = lambda _: {"now_s": time.time(), "panels": {"line": responses.shown(*six)}}

    async def act(page: Page) -> None:
        for view in ("executive", "alarms", "traces", "logs", "audit"):
            await page.evaluate(f"location.hash = '#/{view}'")
            await page.until(f"document.querySelector('#tabs [aria-current]').hash === '#/{view}'")
            await page.until("!!document.querySelector('#view :is(.panel .rows, .alarms, .rows li)')")
            assert await page.evaluate(CONTRAST) == [True, [], []], view

    on("executive", stage, act, dark=dark)


@pytest.mark.slow
def test_the_page_works_by_keyboard() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('#tabs a').length === 10")
        seen = []
        for _ in range(20):
            await page.press("Tab")
            focused = (
                "(a => a.id || a.hash || a.getAttribute('href') || a.getAttribute('class'))(document.activeElement)"
            )
            seen.append(await page.evaluate(focused))
        assert seen[:5] == ["#view", "/", "/_local/upload", "/_local/zoom", "/_local/watch"]
        assert seen[5:15] == [f"#/{view}" for view in VIEWS]
        assert seen[15:17] == ["minutes", "live"]
        assert seen[17] == "chart"

    on("executive", one_panel(responses.panel("x", "line"), responses.series("a", 1, 2)), act)


@pytest.mark.slow
def test_focus_and_open_details_survive_a_refresh() -> None:
    rounds: list[int] = []

    def logs(_: web.Request) -> Any:
        rounds.append(1)
        return [responses.line(f"new {len(rounds)}", at=1), *steady]

    steady = [responses.line("steady", at=1)]
    stage = Responses({"logs": logs})

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.logs summary').length === 2")
        await page.evaluate("document.querySelectorAll('.logs summary')[1].focus()")
        await page.until("document.querySelector('.logs .message')?.textContent === 'new 3'")
        assert "steady" in await page.evaluate("document.activeElement.textContent")

    on("logs", stage, act)


def test_other_pages_link_to_it() -> None:
    """The start page and the upload page have a link in their head."""
    for name in ("index.html", "upload.html"):
        assert '<a href="/_local/watch">Monitoring</a>' in (CONSOLE / name).read_text()
