"""The guide to flat-rate plans agrees with the table of plans, and its commands with the models of AWS's client."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import boto3
import pytest
from botocore import xform_name
from botocore.model import ServiceModel
from botocore.session import get_session

from cli.flat_rate.plans import load_flat_rate_plans

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "flat-rate-plans.md"
TEXT = GUIDE.read_text(encoding="utf-8")
PLANS = load_flat_rate_plans()
GLOBAL = {"region", "query", "output"}
"""Options of the AWS CLI that are no parameters of an operation."""


def commands() -> list[list[str]]:
    """The arguments of each call of the AWS CLI in the guide, without ``aws``."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", " ")
    calls = re.findall(r"(?:^|\$\()aws (.*?)(?:\)$|$)", blocks, re.MULTILINE)
    return [shlex.split(call) for call in calls]


def options(arguments: list[str]) -> dict[str, list[str]]:
    """Options of a command with their values."""
    found: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            found[argument.removeprefix("--")] = []
        else:
            found[[*found][-1]].append(argument)
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_a_command_is_one_of_the_client(command: list[str]) -> None:
    service, operation, *rest = command
    model = ServiceModel(get_session().get_service_data(service), service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(named[operation]).input_shape
    assert shape is not None
    members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()}
    given = options(rest)
    assert set(given) - GLOBAL <= set(members)
    assert {xform_name(name, "-") for name in shape.required_members} <= set(given)
    for option in set(given) - GLOBAL:
        enum = getattr(members[option][1], "enum", None)
        assert not enum or given[option][0] in enum
        if members[option][1].type_name == "list":
            assert len(given[option]) >= 1


def test_the_guide_calls_the_service_of_plans() -> None:
    operations = [operation for service, operation, *_ in commands() if service == "pricing-plan-manager"]
    assert {"create-subscription", "approve-paid-subscription", "cancel-subscription"} <= set(operations)
    regions = boto3.Session().get_available_regions("pricing-plan-manager")
    assert not regions or "us-east-1" in regions


def test_its_table_is_that_of_the_plans() -> None:
    rows = {row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[3:7]] for row in table()}
    first = [plan.levels[0] for plan in PLANS.plans]
    assert [cell.split(" ")[0].replace(",", "") for cell in rows["USD a month"]] == [
        f"{level.usd_per_month:.0f}" for level in first
    ]
    millions = [cell.split(" ")[0] for cell in rows["requests a month"]]
    assert millions == [f"{level.requests / 1e6:.0f}" for level in first]
    assert [cell.strip("`") for cell in rows["parameter `PriceClass`"]] == [*PLANS.tiers]
    for label, feature in {
        "stored images are read by the CDN": "origin_failover",
        "access modes, presets and redaction at the edge follow the [settings](../reference/settings.md)": "edge_store",
        "access logs: [popular derivatives](background-re-encoding.md), [experiments](experiments.md)": "access_logs",
        "[URLs of other services](migration.md), `CorsOrigins` of your own": "cache_policy",
        "Origin Shield": "origin_shield",
    }.items():
        assert [bool(cell) for cell in rows[label]] == [PLANS.has(tier, feature) for tier in PLANS.tiers], label


def table() -> list[str]:
    """Rows of the guide's table of plans."""
    return [line for line in TEXT.splitlines() if line.startswith("| ") and line.count("|") == 7]


def test_allowances_of_data_are_in_the_table() -> None:
    [row] = [line for line in table() if line.startswith("| data to viewers")]
    cells = [cell.strip() for cell in row.split("|")[3:7]]
    assert cells[0] == f"{PLANS.plans[0].levels[0].gigabytes} GB"
    assert cells[1] == cells[2] == "50 TB"
    premium = [level.gigabytes // 1000 for level in PLANS.plan("premium").levels]
    assert cells[3] == f"{premium[0]} to {premium[-1]} TB"
