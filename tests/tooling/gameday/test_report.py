"""Tests of the report and its charts."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_pipeline.operations.cloudwatch import MetricStat
from gameday.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Row,
    Span,
    draw_lines,
    draw_timeline,
    round_up_nicely,
)
from gameday.report import ScenarioReport, format_page
from gameday.scenario_run import ChartSpec, Mark

SPAN = Span(1000.0, 1600.0)
MARKS = (Mark(1060.0, "break", "it breaks"), Mark(1120.0, "alarm", "<it> goes off"), Mark(1300.0, "clear", "mended"))


def svg(figure: str) -> ElementTree.Element:
    """Parse the chart of a figure; fails unless it is XML."""
    return ElementTree.fromstring(figure[figure.index("<svg") : figure.index("</svg>") + 6])


def circles(figure: str, kind: str) -> list[tuple[float, float]]:
    found = [one for group in svg(figure).iter("g") if group.get("class") == kind for one in group.iter("circle")]
    return [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in found]


def test_points_are_where_their_values_are() -> None:
    figure = draw_lines(
        "Faults", "a minute", {"faults": [(1000.0, 0.0), (1300.0, 50.0), (1600.0, 100.0)]}, (), SPAN, None
    )
    assert circles(figure, "series s0") == [
        (LEFT, HEIGHT - BOTTOM),
        pytest.approx(((LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2), abs=0.1),
        (WIDTH - RIGHT, TOP),
    ]


def test_a_limit_above_all_values_is_in_the_chart() -> None:
    figure = draw_lines("Age", "s", {"age": [(1000.0, 3.0)]}, (), SPAN, 300.0)
    [limit] = [one for one in svg(figure).iter("path") if one.get("class") == "limit"]
    at = float(re.findall(r"M\S+ ([\d.]+)H", limit.attrib["d"])[0])
    assert TOP <= at < HEIGHT - BOTTOM


def test_lines_without_points_are_named_all_the_same() -> None:
    figure = draw_lines("Calls", "", {"main": [], "canary": [(1000.0, 1.0)]}, (), SPAN, None)
    assert re.findall(r'<li class="(s\d)">(\w+)', figure) == [("s0", "main"), ("s1", "canary")]
    assert circles(figure, "series s1")
    assert not circles(figure, "series s0")


def test_marks_are_at_their_times_and_say_what_happened() -> None:
    figure = draw_timeline([Row("A & B", 1000.0, 1600.0, MARKS, passed=True)], SPAN)
    drawn = svg(figure)
    assert [one.text for one in drawn.iter("title")] == [
        "00:17:40 it breaks",
        "00:18:40 <it> goes off",
        "00:21:40 mended",
    ]
    [(broken, _)], [(cleared, _)] = circles(figure, "mark break"), circles(figure, "mark clear")
    [bar] = [one for one in drawn.iter("rect") if one.get("class") == "broken"]
    assert float(bar.attrib["x"]) == broken
    assert float(bar.attrib["x"]) + float(bar.attrib["width"]) == pytest.approx(cleared, abs=0.2)


@given(st.floats(1e-6, 1e9))
def test_steps_are_round_and_large_enough(value: float) -> None:
    step = round_up_nicely(value)
    assert value * (1 - 1e-6) <= step <= value * 2.5
    assert float(f"{step:.1e}") == pytest.approx(step)
    assert f"{step:.1e}".split("e")[0] in {"1.0", "2.0", "2.5", "5.0"}


@given(st.floats(-1e6, 1e7))
def test_what_lies_outside_of_the_chart_is_at_its_edge(at_s: float) -> None:
    assert LEFT <= SPAN.x(at_s) <= WIDTH - RIGHT


def chapter(title: str, fault: str = "") -> ScenarioReport:
    chart_specs = ChartSpec("Faults", "a minute", {"Faults": MetricStat("n", "Faults")}, 3.0)
    return ScenarioReport(
        title, "About <it>.", 1000.0, 1600.0, MARKS, {"pages": "1"}, fault, [(chart_specs, {"Faults": []})]
    )


def test_the_report_says_which_failed_and_why() -> None:
    text = format_page([chapter("One"), chapter("Two", "the alarm <x> did not go off")], 1000.0, 1725.0)
    assert "1 of 2 scenarios failed, in 12 min 5 s" in re.sub("<[^>]+>", "", text)
    assert re.findall(r"<h2>(\w+)<span class='verdict (\w+)'", text) == [("One", "passed"), ("Two", "failed")]
    assert "the alarm &lt;x&gt; did not go off" in text
    assert "About &lt;it&gt;." in text


def test_the_report_needs_nothing_else() -> None:
    text = format_page([chapter("One")], 1000.0, 1600.0)
    assert "All 1 scenarios passed" in text
    assert not re.findall(r"(?:src|href)=|url\(|@import", text)
