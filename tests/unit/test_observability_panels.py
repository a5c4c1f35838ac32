"""Dashboards show the metrics of the handbook and no metric that does not exist."""

from __future__ import annotations

import pytest

from darkroom_analysis.mlops.golden_set import EVALUATED_TASKS
from observability.dashboards import DASHBOARDS, Panel, token_names
from observability.measures import Formula, Metric, Split
from observability.metric_math import Grid, calculate, names_in, parse

HANDBOOK = {
    "executive": ["Volume", "Cost", "Success in 24 hours", "Model quality"],
    "on-call": ["Latency and rate", "Queue and workers", "Errors by type", "Recent failed samples"],
    "debug": ["Slow traces", "Resources", "Model inputs and outputs", "Logs by code"],
}

PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
VALUES = {name: name.lower() for name in token_names()}


def test_dashboards_have_exactly_the_handbooks_sections() -> None:
    found = {d.name: list(dict.fromkeys(panel.section for panel in d.panels)) for d in DASHBOARDS}
    assert found == HANDBOOK


def test_panels_have_unique_ids() -> None:
    for dashboard in DASHBOARDS:
        ids = [panel.id for panel in dashboard.panels]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
def test_a_panel_draws_numbers_or_asks_logs(panel: Panel) -> None:
    assert bool(panel.series) != bool(panel.query)
    assert len(panel.about) > 20
    assert not panel.about.endswith(".")
    ids = [measure.id for measure in panel.series]
    assert len(ids) == len(set(ids))
    for measure in panel.series:
        if isinstance(measure, Formula):
            parse(measure.expression)
            assert names_in(measure.expression) - {"FILL", "PERIOD"} <= set(ids)
    if panel.kind == "number":
        assert [m for m in panel.series if isinstance(m, Split) or m.shown] == [panel.series[-1]]


@pytest.mark.parametrize("id_", ["quality", "false-alarms", "accuracy", "outputs"])
def test_every_task_that_the_golden_set_labels_is_drawn(id_: str) -> None:
    [panel] = [panel for panel in PANELS if panel.id == id_]
    drawn = {measure.dimensions.get("task") or measure.label for measure in panel.series if isinstance(measure, Metric)}
    assert drawn == set(EVALUATED_TASKS)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
def test_a_deployment_fills_every_token(panel: Panel) -> None:
    here = panel.for_deployment(VALUES)
    assert len(here.series) == len(panel.series)
    for measure in here.series:
        named = (
            measure.dimensions if isinstance(measure, Metric) else measure.fixed if isinstance(measure, Split) else {}
        )
        assert "{" not in "".join(named.values())


def test_what_a_deployment_lacks_is_not_drawn() -> None:
    bare = {"namespace": "Darkroom/x", "stack": "x", "TransformFunction": "transform"}
    by_id = {panel.id: panel.for_deployment(bare) for panel in PANELS}
    assert [measure.id for measure in by_id["workers"].series] == ["transform"]
    assert by_id["gpu"].series == ()
    assert {m.namespace for m in by_id["rate"].series if isinstance(m, Metric)} == {"Darkroom/x"}


def test_success_counts_what_died_and_needs_no_function_that_is_not_there() -> None:
    [panel] = [panel for panel in PANELS if panel.id == "success"]
    here = panel.for_deployment({"namespace": "Darkroom/x"})
    none: dict[str, object] = {measure.id: {} for measure in here.series if isinstance(measure, Metric)}
    known = none | {"requests_transform": {0: 970.0}, "faults_transform": {0: 5.0}, "died_ingest": {0: 30.0}}
    formula = here.series[-1]
    assert isinstance(formula, Formula)
    assert calculate(formula.expression, Grid([0], 86_400, known)) == {0: pytest.approx(96.5)}  # type: ignore[arg-type]
    assert calculate(formula.expression, Grid([0], 86_400, none)) == {}  # type: ignore[arg-type]
