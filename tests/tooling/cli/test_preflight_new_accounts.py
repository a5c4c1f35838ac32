"""Preflight for new accounts: memory and concurrency of all templates, CloudFront's verification, retention of logs."""

from __future__ import annotations

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from cli.preflight.account import Concurrency, Unknown
from cli.preflight.checks import Status, check_concurrency
from cli.preflight.new_accounts import LOG_DAYS, MEMORY_MB, check_cloudfront_access, check_log_days, check_memory
from cli.preflight.plan import Plan, add_further, build_plan, read_settings
from cli.preflight.templates import FUNCTION, TEMPLATE, Planned, further_templates, list_planned
from cli.template_values import read_template
from extensions import find_template, list_extensions
from local.paths import ROOT

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN
NEW, USUAL = Concurrency(10, 10, 0), Concurrency(1000, 1000, 0)
LARGE = Planned("extensions/faces/stack.yaml", "FacesFunction", FUNCTION, {"MemorySize": MEMORY_MB + 1})


@pytest.fixture(scope="module")
def template() -> dict[str, object]:
    return read_template(TEMPLATE)


def plan(template: dict[str, object], **parameters: str) -> Plan:
    return build_plan(template, "darkroom", "eu-central-1", {}, parameters)


def test_further_templates_are_those_that_no_other_contains() -> None:
    assert set(further_templates()) == {"sources", *(one.flag for one in list_extensions())}
    assert not {"alarms", "inference", "source"} & set(further_templates())


@pytest.mark.parametrize("name", further_templates())
def test_every_further_stack_fits_into_a_new_account(template: dict[str, object], name: str) -> None:
    found = list(check_memory(add_further(plan(template), name, {}, {}), {}, NEW))
    assert [one.status for one in found] == [OK], found


def test_the_environment_for_new_accounts_fits_into_one(template: dict[str, object]) -> None:
    small = build_plan(template, "s", "eu-central-1", {}, read_settings(ROOT / "samconfig.toml", "small").overrides)
    found = [*check_memory(small, {}, NEW), *check_concurrency(small, NEW), *check_log_days(small)]
    assert {one.status for one in found} == {OK}


@pytest.mark.parametrize(("concurrency", "status"), [(NEW, PROBLEM), (USUAL, UNKNOWN), (Unknown("denied"), UNKNOWN)])
def test_more_memory_than_in_new_accounts_is_named(
    template: dict[str, object], concurrency: Concurrency | Unknown, status: Status
) -> None:
    found, *others = check_memory(plan(template, Size="large"), {"faces": (LARGE,)}, concurrency)
    assert (found.status, "IngestFunction of template.yaml has 8192 MB" in found.found) == (status, True)
    assert "Size=standard" in found.action
    assert [(one.status, "FacesFunction of extensions/faces/stack.yaml" in one.found) for one in others] == [
        (UNKNOWN, True)
    ]


def test_a_wrong_further_stack_or_parameter_is_refused(template: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no further stack alarms"):
        add_further(plan(template), "alarms", {}, {})
    with pytest.raises(ValueError, match="no parameter Size"):
        add_further(plan(template), "sources", {}, {"Size": "large"})


@pytest.mark.parametrize(("count", "status"), [(0, UNKNOWN), (Unknown("denied"), UNKNOWN), (1, OK)])
def test_an_account_without_distributions_may_have_to_be_verified(
    template: dict[str, object], count: int | Unknown, status: Status
) -> None:
    [found] = check_cloudfront_access(plan(template), count)
    assert found.status is status
    assert ("AWS Support" in found.action) == (status is UNKNOWN)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("90,30,14,30,365", OK),
        ("90,30,14,3653,365", OK),
        ("90,30,14,45,365", PROBLEM),
        ("90,30,14,10000,365", PROBLEM),
        ("90,30", PROBLEM),
    ],
)
def test_the_retention_of_logs_is_one_that_cloudwatch_has(
    template: dict[str, object], value: str, status: Status
) -> None:
    [found] = check_log_days(plan(template, RetentionDays=value))
    assert found.status is status
    assert ("the next is 60" in found.action) == (",45," in value)


def test_the_list_is_that_of_cloudformation_and_of_the_templates() -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", "AWS::Logs::LogGroup").schema
    assert list(LOG_DAYS) == schema["properties"]["RetentionInDays"]["enum"]
    declared = [read_template(find_template(name)).get("Parameters", {}) for name in further_templates()]
    allowed = [one["LogDays"]["AllowedValues"] for one in declared if "LogDays" in one]
    assert allowed
    assert all(one == list(LOG_DAYS) for one in allowed)


def test_nested_stacks_are_part_of_a_plan() -> None:
    planned = list(list_planned(TEMPLATE, {"SourceBucket": "photos"}, "darkroom", "eu-central-1"))
    assert {one.template for one in planned} == {"template.yaml", "stacks/alarms.yaml", "stacks/source.yaml"}
