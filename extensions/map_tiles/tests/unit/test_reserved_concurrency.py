"""Preflight for this stack beside the first one: its function may reserve concurrency."""

from __future__ import annotations

from cli.preflight.account import Concurrency
from cli.preflight.checks import Status, check_concurrency, sum_reserved
from cli.preflight.plan import add_further, build_plan
from cli.preflight.templates import TEMPLATE
from cli.template_values import read_template

NEW = Concurrency(10, 10, 0)


def test_its_function_may_reserve_concurrency() -> None:
    alone = build_plan(read_template(TEMPLATE), "darkroom", "eu-central-1", {}, {})
    tiles = add_further(alone, "map-tiles", {}, {"MaxConcurrency": "5"})
    assert sum_reserved(tiles) == 5
    assert tiles.resources["AWS::CloudFront::Distribution"] == 2
    assert next(one.status for one in check_concurrency(tiles, NEW)) is Status.PROBLEM
