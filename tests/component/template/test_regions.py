"""Regions: the Rules, cli/preflight, docs/getting-started/deploy.md and CloudFormation's schemas agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.helpers import REGIONS
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from cli.preflight.regions import NO_ACCESS_LOGS, NO_BUDGETS, SUPPORTED, WEB_ACL_REGION, find_missing
from extensions import list_templates

from .stack import ROOT, TEMPLATE, broken_rules, name_template, nested_templates, transformed

ELSEWHERE = ("ap-south-2", "ca-west-1", "me-central-1", "cn-north-1", "us-gov-west-1")
OPTIONS = {
    "nothing": {},
    "a budget": {"MonthlyBudgetUsd": "5"},
    "access logs": {"AccessLogDays": "3"},
    "a web ACL": {"WafRateLimit": "100"},
}


def exists(kind: str, region: str) -> bool:
    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind)
    except ResourceNotFoundError:
        return False
    return True


@pytest.mark.sample(5)
@pytest.mark.parametrize("parameters", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("region", [*sorted(SUPPORTED), *ELSEWHERE])
def test_rules_refuse_what_preflight_calls_missing(region: str, parameters: dict[str, str]) -> None:
    of_regions = {one for one in broken_rules(region, **parameters) if "region" in one or "us-east-1" in one}
    if region in SUPPORTED:
        assert len(of_regions) == len(find_missing(region, parameters))
    else:
        assert any("function URLs" in one for one in of_regions)
        [reason] = find_missing(region, parameters)
        assert region in reason


def test_the_lists_are_those_of_cloudformation() -> None:
    """Access logs have no resource type of their own: theirs is from CloudFront's documentation."""
    assert {region for region in SUPPORTED if not exists("AWS::Lambda::Url", region)} == set()
    assert {region for region in SUPPORTED if not exists("AWS::CloudFront::KeyValueStore", region)} == set()
    assert {region for region in SUPPORTED if not exists("AWS::S3Vectors::Index", region)} == set()
    assert {region for region in SUPPORTED if not exists("AWS::Budgets::Budget", region)} == NO_BUDGETS
    assert SUPPORTED >= NO_ACCESS_LOGS
    # The others lack function URLs by CloudFormation or, eu-south-2, by Lambda's documentation. Other partitions aside.
    without = {region for region in set(REGIONS) - SUPPORTED if exists("AWS::Lambda::Url", region)}
    assert {region for region in without if not region.startswith(("cn-", "us-iso", "eu-iso", "eusc-"))} == {
        "eu-south-2"
    }


def test_the_documented_table_has_the_same_regions() -> None:
    text = (ROOT / "docs" / "getting-started" / "deploy.md").read_text(encoding="utf-8")
    section = text[text.index("### Regions") : text.index("### Several stacks")]
    paragraph, table = section.split("| option |")
    assert set(re.findall(r"`([a-z]{2}-[a-z]+-\d)`", paragraph)) == SUPPORTED
    assert f"in {len(SUPPORTED)} regions" in paragraph
    rows = {
        row.split("`")[1]: set(re.findall(r"`([a-z]{2}-[a-z]+-\d)`", row))
        for row in table.splitlines()[2:]
        if "`" in row
    }
    assert (rows["MonthlyBudgetUsd"], rows["AccessLogDays"]) == (NO_BUDGETS, NO_ACCESS_LOGS)
    assert rows["WafRateLimit"] == {WEB_ACL_REGION}


def representatives(path: Path) -> Iterator[str]:
    """One region of each group with the same schemas of all resource types, in which a linter finds the same."""
    kinds = sorted({resource["Type"] for resource in transformed(path=path)["Resources"].values()})
    groups: dict[tuple[object, ...], str] = {}
    for region in sorted(SUPPORTED):
        schemas = (
            repr(PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema) if exists(kind, region) else None
            for kind in kinds
        )
        groups.setdefault(tuple(map(hash, schemas)), region)
    yield from groups.values()


def complaints(path: Path, regions: list[str]) -> set[str]:
    """cfn-lint's findings, without budgets in regions that have none: the template's rules refuse those."""
    found = lint(path.read_text(encoding="utf-8"), config=ManualArgs(regions=regions))
    expected = {f"E3006 Resource type 'AWS::Budgets::Budget' does not exist in '{region}'" for region in NO_BUDGETS}
    return {f"{match.rule.id} {match.message}" for match in found} - expected


TEMPLATES = [
    TEMPLATE,
    *nested_templates().values(),
    *list_templates(),
    ROOT / "stacks" / "sources.yaml",
]


@pytest.mark.slow
@pytest.mark.parametrize("path", TEMPLATES, ids=name_template)
def test_cfn_lint_finds_nothing_in_a_region_of_each_group(path: Path) -> None:
    assert complaints(path, list(representatives(path))) == set()


@pytest.mark.slow
@pytest.mark.parametrize("path", TEMPLATES, ids=name_template)
def test_cfn_lint_finds_nothing_in_any_region(path: Path) -> None:
    """As above, for all of them at once: that no two regions of a group differ for the linter."""
    assert complaints(path, sorted(SUPPORTED)) == set()
