"""Preflight for this stack beside the first one in a new account."""

from __future__ import annotations

from cli.preflight.account import Concurrency
from cli.preflight.checks import Status, check_concurrency, sum_background
from cli.preflight.plan import Plan, add_further, build_plan, read_settings
from cli.preflight.templates import ROOT, TEMPLATE
from cli.template_values import read_template

NEW = Concurrency(10, 10, 0)


def plan(**parameters: str) -> Plan:
    return build_plan(read_template(TEMPLATE), "darkroom", "eu-central-1", {}, parameters)


def test_its_queues_are_background_work() -> None:
    alone = plan(IngestConcurrency="2", Refine="off")
    both = add_further(alone, "medical", {}, {"MaxConcurrency": "7"})
    assert sum_background(both) >= sum_background(alone) + 7 + 2
    assert [one.status for one in check_concurrency(both, NEW)] == [Status.OK, Status.PROBLEM]


def test_it_fits_into_a_new_account_as_the_guide_writes() -> None:
    small = read_settings(ROOT / "samconfig.toml", "small").overrides
    both = add_further(plan(**{**small, "Refine": "off"}), "medical", {}, {"MaxConcurrency": "2"})
    assert {one.status for one in check_concurrency(both, NEW)} == {Status.OK}
