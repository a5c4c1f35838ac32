"""Tests of goals: verdicts, the page, the chart, and stored runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page, runs
from bench.__main__ import format_figures, load_suite
from bench.goals import Figure, Goal, Section, read_goals
from bench.runs import MAX_RUNS, Run, format_verdict
from bench.suites import EXCLUDED, SUITES, list_default_suites

AT_MOST = Goal("time", "a request", "a peer", "ratio", 2, 0.5, leaves_out="the CDN")
AT_LEAST = Goal("share", "good ones", "all", "ratio", 2, 0.9, at_least=True)
GOALS = {goal.id: goal for goal in (AT_MOST, AT_LEAST)}


def run(number: int = 1, **values: float) -> Run:
    figures = {name: Figure(name, value, value / 2, value * 2) for name, value in values.items()}
    return Run(f"2026-01-0{number}T00:00:00+00:00", "a machine", 0.5, figures)


@pytest.mark.parametrize(
    ("goal", "value", "met", "formatted"),
    [
        (AT_MOST, 0.5, True, "0.50"),
        (AT_MOST, 0.502, False, "0.502"),
        (AT_MOST, 0.61, False, "0.61"),
        (AT_LEAST, 0.9, True, "0.90"),
        (AT_LEAST, 0.899, False, "0.899"),
        (Goal("m", "", "", "ms", 1, 10), 9.96, True, "10.0 ms"),
    ],
)
def test_a_limit_is_met_on_it_and_rounding_hides_no_miss(goal: Goal, value: float, met: bool, formatted: str) -> None:
    assert (goal.met(value), goal.format_value(value)) == (met, formatted)


def test_the_projects_goals_are_whole() -> None:
    found = read_goals()
    assert len(found) == 39
    assert [goal.id for goal in found.values() if goal.limit is None] == ["local-processes"]
    assert found["warm-12mp-webp"].format_limit == "≤ 0.65"
    assert found["peak-500"].format_limit == "≤ 85 MB"


def test_every_goal_names_what_it_leaves_out() -> None:
    assert [goal.id for goal in read_goals().values() if not goal.leaves_out] == []


def test_a_quick_run_does_not_judge_what_is_about_many_images() -> None:
    [of_many] = [goal for goal in read_goals().values() if goal.id == "bytes-avif"]
    figure = Figure("bytes-avif", 1.3, 1.3, 1.3, why="at most 1.3")
    shown = {rounds: format_figures([figure], rounds) for rounds in ("quick", "full")}
    assert "not judged: too few images" in shown["quick"]
    assert "MISSED at most 1.3" in shown["full"]
    assert all(text.endswith(f"without {of_many.leaves_out}") for text in shown.values())
    one = Figure("warm-12mp-jpeg", 0.4, 0.4, 0.4, unequal=True, why="of one photograph")
    assert "not judged" in format_figures([one], "quick")
    assert "MISSED of one photograph" in format_figures([one], "full")
    assert "MISSED" in format_figures([Figure("warm-12mp-jpeg", 0.9, 0.9, 0.9)], "quick")


def test_a_verdict_counts_the_runs_that_met_it() -> None:
    assert format_verdict(AT_MOST, [run(time=0.4), run(time=0.5)]) == "met in 2 of 2"
    assert format_verdict(AT_MOST, [run(time=0.4), run(time=0.6)]) == "missed in 1 of 2"
    assert format_verdict(AT_MOST, [run(share=1)]) == "not measured"
    assert format_verdict(AT_MOST, [run(time=0.4), run()]) == "met in 1 of 1"


def test_a_miss_has_its_floor_and_reason() -> None:
    slow = Run("", "", 0, {"time": Figure("time", 0.7, 0.6, 0.8, floor=0.55, why="waiting alone takes it")})
    assert format_verdict(AT_MOST, [slow, run(time=0.1)]) == "missed in 1 of 2: floor 0.55; waiting alone takes it"


def test_what_is_not_equally_good_misses_whatever_its_time() -> None:
    worse = Run("", "", 0, {"time": Figure("time", 0.1, 0.1, 0.1, why="9 % more bytes", unequal=True)})
    assert format_verdict(AT_MOST, [worse]) == "missed in 1 of 1: 9 % more bytes"


def test_without_a_limit_a_figure_is_only_shown() -> None:
    shown = Goal("time", "", "", "ratio", 2)
    one = Run("", "", 0, {"time": Figure("time", 0.7, 0.6, 0.8, floor=0.5, why="a PUT more")})
    assert (format_verdict(shown, [one]), shown.format_limit) == ("no goal: floor 0.50; a PUT more", "–")


def test_the_last_runs_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    assert runs.read_runs(path) == []
    for number in range(1, MAX_RUNS + 3):
        runs.add_run(run(number, time=number / 10), path)
    assert runs.read_runs(path) == [run(number, time=number / 10) for number in range(3, MAX_RUNS + 3)]


def test_the_table_has_a_column_for_each_run() -> None:
    table = page.format_goals(GOALS, [run(1, time=0.4, share=0.95), run(2, time=0.502)])
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| a request | a peer | ≤ 0.50 | 0.40 | 0.502 | – | missed in 1 of 2 | the CDN |"
    assert lines[3] == "| good ones | all | ≥ 0.90 | 0.95 | – | – | met in 1 of 1 | – |"
    assert "- Run 2: 2026-01-02T00:00:00+00:00, a machine; load average before: 0.5." in table


def test_a_part_writes_between_its_markers_and_nowhere_else(tmp_path: Path) -> None:
    file, here = tmp_path / "page.md", page.find_markers("x")
    file.write_text(f"above\n{here.begin}\nold\n{here.end}\nbelow\n", encoding="utf-8")
    for _ in range(2):
        page.write_page(file, page.format_section(Section("new", missing=["the moon."])), here)
    assert (
        file.read_text(encoding="utf-8")
        == f"above\n{here.begin}\n\nnew\n\n- Not measured: the moon.\n\n{here.end}\nbelow\n"
    )
    with pytest.raises(ValueError, match="lacks"):
        page.write_page(file, "new", page.find_markers("y"))


def test_the_projects_pages_have_a_place_for_everything() -> None:
    places = [(page.PAGE, page.GOALS), *((page.find_page(name), page.find_markers(name)) for name in SUITES)]
    for file, here in places:
        text = file.read_text(encoding="utf-8")
        assert text.count(here.begin) == text.count(here.end) == 1
        assert text.index(here.begin) < text.index(here.end)


def test_every_usual_part_can_be_measured() -> None:
    assert {name for name in SUITES if name not in list_default_suites()} == EXCLUDED
    assert all(callable(load_suite(name).measure) for name in SUITES)
