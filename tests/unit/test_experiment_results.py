"""The page and the lines with results of experiments, and the counts behind them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from cli.experiments.results import Results, format_lines, format_page, to_document
from cli.experiments.simulation import simulate
from darkroom.plan.experiments import Experiment
from darkroom_pipeline.experiments import visitors as visitors_module
from darkroom_pipeline.experiments.rules import Policy
from darkroom_pipeline.experiments.runs import MAX_POINTS, Decisions, Tally
from darkroom_pipeline.experiments.statistics import Counts
from darkroom_pipeline.experiments.visitors import VisitorSet, hash_visitor

HERO = Experiment("hero", (("wide", 1), ("tall", 1)))
POLICY = Policy(98, 1_000)


def simulated() -> Results:
    return simulate(HERO, {"wide": 0.05, "tall": 0.07}, POLICY, visitors=50_000, seed=3).results


def test_a_decided_experiment_is_shown_with_its_reason() -> None:
    found = simulated()
    [first, _, wide, tall, reason] = format_lines(found)
    assert first == "hero: decided: tall is shown to all visitors"
    assert wide.endswith("stopped")
    assert "%" in tall
    assert "wide has" in reason
    document = to_document(found)
    assert (document["winner"], document["variants"][0]["stopped"]) == ("tall", True)
    assert document["variants"][0]["at_least"] < document["variants"][0]["rate"] < document["variants"][0]["at_most"]


def test_the_page_draws_rates_within_their_bounds() -> None:
    page = format_page([simulated()], 1_800_000_000)
    svg = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    kinds = [path.attrib["class"] for path in svg.iter("path")]
    assert (kinds.count("band"), kinds.count("rate"), kinds.count("decision")) == (2, 2, 1)
    assert "2027-01-15 08:00 UTC" in page
    assert "0 beacons over a limit" in page


def test_other_states_are_said() -> None:
    none = Results(HERO, POLICY, None, Decisions())
    assert none.state == "not counted yet"
    assert "<svg" not in format_page([none], 0)
    assert "The settings have no experiments." in format_page([], 0)
    uneven = Tally(0, 0, {"wide": Counts(9_000, 1), "tall": Counts(5_000, 1)})
    assert replace(none, tally=uneven).state.startswith("no decisions: visitors are not divided")
    even = Tally(0, 0, {"wide": Counts(500, 1), "tall": Counts(500, 1)})
    assert replace(none, tally=even).state == "undecided, 0 of 2 variants stopped"


def test_a_history_has_a_bounded_number_of_points() -> None:
    tally = Tally(0, 0, {})
    for hour in range(5 * MAX_POINTS):
        tally = tally.with_counts({"wide": Counts(hour)}, hour, requests=1, refused=0)
    times = [at_s for at_s, _ in tally.history]
    assert len(times) <= MAX_POINTS
    assert times == sorted(times)
    assert times[-1] == 5 * MAX_POINTS - 1
    assert tally.requests == 5 * MAX_POINTS


def test_a_set_of_visitors_is_stored_in_8_bytes_each() -> None:
    visitors = VisitorSet()
    keys = [hash_visitor("salt", f"visitor-{number}") for number in range(100)]
    for number, key in enumerate(keys):
        assert visitors.add(key, number % 5)
    for key in keys[::10]:
        visitors.click(key)
        visitors.click(key)
    data = visitors.to_bytes()
    assert len(data) == 8 * len(visitors) == 800
    read = VisitorSet.from_bytes(data, "etag")
    assert read.find_variant(keys[7]) == 2
    assert read.find_variant(hash_visitor("other", "visitor-7")) is None
    assert read.count("abcde") == visitors.count("abcde")
    assert read.count("abcde")["a"] == Counts(20, 10)


def test_clicks_before_the_view_are_stored_apart_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors_module, "MAX_EARLY_CLICKS", 2)
    visitors = VisitorSet()
    keys = [hash_visitor("salt", f"visitor-{number}") for number in range(4)]
    assert visitors.add(keys[0], 1)
    assert [visitors.add_early_click(key, 1_800_000_000.0 + number) for number, key in enumerate(keys[1:])] == [
        True,
        True,
        False,
    ]
    read = VisitorSet.from_bytes(visitors.to_bytes(), "etag")
    assert len(read) == 1
    assert read.count("ab") == {"a": Counts(), "b": Counts(1, 0)}
    assert read.early_clicks == {keys[1]: 1_800_000_000, keys[2]: 1_800_000_001}
    read.remove_early_clicks(1_800_000_000)
    assert read.early_clicks == {keys[2]: 1_800_000_001}
