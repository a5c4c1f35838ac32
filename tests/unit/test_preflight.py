"""Preflight decisions for a plan and an account."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.preflight.account import Certificate, Concurrency, ExistingStack, Unknown
from cli.preflight.checks import (
    CLOUDFRONT_QUOTAS,
    SERVICES,
    Finding,
    Status,
    check_api,
    check_certificate,
    check_cloudfront,
    check_concurrency,
    check_endpoint,
    check_identity,
    check_key,
    check_name,
    check_region,
    check_services,
    check_stack,
    check_variable,
    check_vectors,
    list_certificates,
    sum_background,
)
from cli.preflight.examination import format_findings
from cli.preflight.plan import Plan, build_plan, parse_overrides, read_settings

ARN = "arn:aws:acm:us-east-1:111122223333:certificate/a"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/a"
NOT_READ = Unknown("AccessDenied")
SMALL = Concurrency(quota=10, unreserved=10, own=0)
USUAL = Concurrency(quota=1000, unreserved=1000, own=0)


def plan(stack: str = "darkroom", region: str = "eu-central-1", **parameters: str) -> Plan:
    defaults = {
        "ReservedConcurrency": "0",
        "WarmStart": "off",
        "Size": "standard",
        "IngestConcurrency": "2",
        "Refine": "on",
        "InferenceMode": "off",
        "EndpointConcurrency": "16",
    }
    return Plan(stack, region, defaults | parameters, dict.fromkeys(CLOUDFRONT_QUOTAS, 2))


def statuses(findings: object) -> list[Status]:
    return [finding.status for finding in findings]  # type: ignore[attr-defined]


OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN


@pytest.mark.parametrize(
    ("name", "status"),
    [("darkroom", OK), ("a" * 39, OK), ("a" * 40, PROBLEM), ("2nd", PROBLEM), ("dark_room", PROBLEM), ("", PROBLEM)],
)
def test_the_name_has_to_fit(name: str, status: Status) -> None:
    assert check_name(plan(name)).status is status


@pytest.mark.parametrize(
    ("region", "parameters", "status"),
    [
        ("eu-central-1", {}, OK),
        ("eu-central-1", {"MonthlyBudgetUsd": "5", "AccessLogDays": "3"}, OK),
        ("ap-south-2", {}, PROBLEM),
        ("eu-north-1", {"MonthlyBudgetUsd": "5"}, PROBLEM),
        ("me-south-1", {"AccessLogDays": "3"}, PROBLEM),
        ("eu-central-1", {"WafRateLimit": "100"}, PROBLEM),
        ("us-east-1", {"WafRateLimit": "100"}, OK),
    ],
)
def test_the_region_needs_what_options_need(region: str, parameters: dict[str, str], status: Status) -> None:
    assert statuses(check_region(plan(region=region, **parameters))) == [status]


@pytest.mark.parametrize(
    ("variable", "is_named", "statuses_"),
    [("", False, []), ("eu-central-1", False, []), ("us-west-2", True, []), ("us-west-2", False, [PROBLEM])],
)
def test_a_region_that_sam_ignores_is_named(variable: str, is_named: bool, statuses_: list[Status]) -> None:
    assert statuses(check_variable(plan(), variable, is_named=is_named)) == statuses_


@pytest.mark.parametrize(
    ("status", "expected", "command"),
    [
        ("", OK, ""),
        ("CREATE_COMPLETE", OK, ""),
        ("UPDATE_ROLLBACK_COMPLETE", OK, ""),
        ("ROLLBACK_COMPLETE", PROBLEM, "delete-stack"),
        ("DELETE_FAILED", PROBLEM, "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", PROBLEM, "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", PROBLEM, "describe-stacks"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", PROBLEM, "describe-stacks"),
    ],
)
def test_the_stack_has_to_be_in_a_state_to_deploy(status: str, expected: Status, command: str) -> None:
    found = check_stack(plan(), ExistingStack(status))
    assert found.status is expected
    assert command in found.command
    assert bool(found.command) == bool(command)


@pytest.mark.parametrize(
    ("concurrency", "reserved", "expected"),
    [
        (SMALL, "0", OK),
        (SMALL, "1", PROBLEM),
        (USUAL, "900", OK),
        (USUAL, "901", PROBLEM),
        (Concurrency(1000, 120, 0), "20", OK),
        (Concurrency(1000, 120, 0), "21", PROBLEM),
        (Concurrency(1000, 120, 30), "50", OK),  # 30 of them are the stack's own already
    ],
)
def test_lambda_keeps_a_hundred_unreserved(concurrency: Concurrency, reserved: str, expected: Status) -> None:
    found = list(check_concurrency(plan(ReservedConcurrency=reserved), concurrency))
    assert found[0].status is expected
    assert ("request-service-quota-increase" in found[0].command) == (expected is PROBLEM)


def test_provisioned_concurrency_counts_where_none_is_reserved_and_is_within_it_otherwise() -> None:
    assert statuses(check_concurrency(plan(WarmStart="5"), SMALL))[0] is PROBLEM
    within = plan(ReservedConcurrency="50", WarmStart="50")
    assert statuses(check_concurrency(within, USUAL)) == [OK, OK]
    beyond = plan(ReservedConcurrency="50", WarmStart="51")
    assert statuses(check_concurrency(beyond, USUAL)) == [PROBLEM, OK, OK]


@pytest.mark.parametrize(
    ("parameters", "total"),
    [
        ({}, 6),
        ({"Refine": "off"}, 4),
        ({"UrgentUploads": "on"}, 8),
        ({"IngestConcurrency": "10"}, 14),
        ({"InferenceMode": "lambda"}, 22),
        ({"InferenceMode": "endpoint", "EndpointConcurrency": "4"}, 10),
    ],
)
def test_background_work_leaves_something_to_viewers(parameters: dict[str, str], total: int) -> None:
    asked = plan(**parameters)
    assert sum_background(asked) == total
    found = list(check_concurrency(asked, SMALL))[-1]
    assert found.status is (PROBLEM if total >= 10 else OK)
    assert ("small" in found.action) == (total >= 10)


def test_cloudfront_has_to_have_room_for_a_new_stack() -> None:
    quotas = {
        "Cache policies per AWS account": 30.0,
        "Distributions associated with the same cache policy": 1.0,
        "Web distributions per AWS account": 200.0,
    }
    full = dict.fromkeys(CLOUDFRONT_QUOTAS, 19)
    found = {one.subject: one for one in check_cloudfront(plan(), ExistingStack(), full, quotas)}
    assert found["CloudFront CachePolicy"].status is OK  # 19 + 2 of 30
    assert found["CloudFront OriginRequestPolicy"].status is PROBLEM  # of 20, the default
    assert "AWS's default" in found["CloudFront OriginRequestPolicy"].found
    assert "200 can be (the account's quota)" in found["CloudFront Distribution"].found
    assert found["CloudFront Function"].status is OK
    # an update of a stack adds none
    existing = check_cloudfront(
        plan(), ExistingStack("UPDATE_COMPLETE"), dict.fromkeys(CLOUDFRONT_QUOTAS, 20), NOT_READ
    )
    assert set(statuses(existing)) == {OK}


def test_instances_of_an_endpoint_need_their_own_quota() -> None:
    asked = plan(
        InferenceMode="endpoint",
        EndpointInstanceType="ml.g4dn.xlarge",
        EndpointScaling="1,2,600",
        CanaryImageUri="image",
    )
    name = "ml.g4dn.xlarge for endpoint usage"
    assert statuses(check_endpoint(asked, {name: 4.0})) == [OK]
    [found] = check_endpoint(asked, {name: 3.0})
    assert (found.status, name in found.action) == (PROBLEM, True)
    assert statuses(check_endpoint(asked, {"ml.g4dn.xlarge for training job usage": 9.0})) == [UNKNOWN]
    assert list(check_endpoint(plan(InferenceMode="endpoint", EndpointName="mine"), {})) == []
    assert list(check_endpoint(plan(), {})) == []


@pytest.mark.parametrize(
    ("arn", "hosts", "certificate", "status"),
    [
        (ARN, ["a.example.com"], Certificate("ISSUED", ("a.example.com",)), OK),
        (ARN, ["a.example.com"], Certificate("ISSUED", ("*.example.com",)), OK),
        (ARN, ["a.b.example.com"], Certificate("ISSUED", ("*.example.com",)), PROBLEM),
        (ARN, ["example.com"], Certificate("ISSUED", ("*.example.com",)), PROBLEM),
        (ARN, ["a.example.com"], Certificate("PENDING_VALIDATION", ("a.example.com",)), PROBLEM),
        (ARN, ["a.example.com"], Unknown("... (ResourceNotFoundException) ..."), PROBLEM),
        (ARN, ["a.example.com"], NOT_READ, UNKNOWN),
        (ARN.replace("us-east-1", "eu-central-1"), ["a.example.com"], NOT_READ, PROBLEM),
    ],
)
def test_a_certificate_is_issued_in_us_east_1_for_the_hosts(
    arn: str, hosts: list[str], certificate: Certificate | Unknown, status: Status
) -> None:
    assert check_certificate("CertificateArn", arn, hosts, certificate).status is status


def test_certificates_are_for_their_own_hosts() -> None:
    asked = plan(CertificateArn=ARN, DomainName="a.example.com", DitDomainName="b.example.com")
    assert list_certificates(asked) == {"CertificateArn": (ARN, ["a.example.com", "b.example.com"])}
    assert list_certificates(plan()) == {}


@pytest.mark.parametrize(
    ("region", "state", "status"),
    [
        ("eu-central-1", "Enabled", OK),
        ("eu-central-1", "Disabled", PROBLEM),
        ("eu-central-1", NOT_READ, UNKNOWN),
        ("us-east-1", "Enabled", PROBLEM),
    ],
)
def test_a_key_is_enabled_and_of_the_region(region: str, state: str | Unknown, status: Status) -> None:
    assert statuses(check_key(plan(region=region, KmsKeyArn=KEY), state)) == [status]


def test_what_was_not_read_is_never_ok() -> None:
    findings = [
        check_services(plan(), NOT_READ),
        check_stack(plan(), NOT_READ),
        check_api(NOT_READ),
        *check_concurrency(plan(), NOT_READ),
        *check_cloudfront(plan(), ExistingStack(), dict.fromkeys(CLOUDFRONT_QUOTAS, NOT_READ), NOT_READ),
        *check_vectors(plan(SimilarityStore="s3vectors"), NOT_READ),
        *check_endpoint(
            plan(InferenceMode="endpoint", EndpointInstanceType="ml.m5.xlarge", EndpointScaling="1,2,600"), NOT_READ
        ),
    ]
    assert set(statuses(findings)) == {UNKNOWN}
    assert all("AccessDenied" in finding.found for finding in findings)
    assert check_identity(NOT_READ).status is PROBLEM


def test_services_are_matched_by_any_of_their_names() -> None:
    listed = frozenset(names[-1] for names in SERVICES.values())
    assert check_services(plan(), listed).status is OK
    found = check_services(plan(InferenceMode="endpoint"), listed - {"sqs"})
    assert (found.status, found.found) == (UNKNOWN, "not listed: SQS, SageMaker")


@pytest.mark.parametrize(("rate", "status"), [(200.0, OK), (2500.0, OK), (199.0, PROBLEM)])
def test_the_upload_rate_is_within_the_accounts(rate: float, status: Status) -> None:
    assert check_api({"Throttle rate": rate, "Throttle burst rate": 9.0}).status is status


def test_findings_are_reported_with_a_remedy() -> None:
    lines = format_findings([Finding(OK, "a", "b", "never"), Finding(PROBLEM, "c", "d", "Do it.", "do --it")])
    assert list(lines) == ["ok       a: b", "problem  c: d", "         Do it.", "         $ do --it"]


TEMPLATE = {
    "Parameters": {"A": {"Default": 1}, "B": {"Default": "x"}, "C": {"Type": "String"}},
    "Conditions": {"IsOne": {"Fn::Equals": [{"Ref": "A"}, "1"]}},
    "Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "R": {"Type": "AWS::SQS::Queue", "Condition": "IsOne"}},
}


def test_a_parameter_that_is_not_named_keeps_the_value_of_the_stack() -> None:
    made = build_plan(TEMPLATE, "s", "r", {"A": "2", "B": "y", "Gone": "z"}, {"B": "w"})
    assert made.parameters == {"A": "2", "B": "w", "C": ""}
    assert made.resources == {"AWS::SQS::Queue": 1}, "the condition of the other does not hold"
    with pytest.raises(ValueError, match="no parameter D"):
        build_plan(TEMPLATE, "s", "r", {}, {"D": "1"})


def test_environments_are_read_as_sam_reads_them(tmp_path: Path) -> None:
    config = tmp_path / "samconfig.toml"
    config.write_text(
        '[a.global.parameters]\nstack_name = "s"\n'
        '[a.deploy.parameters]\nregion = "eu-west-1"\nparameter_overrides = "A=1 B=\\"x y\\""\n'
        '[b.deploy.parameters]\nparameter_overrides = ["A=1", "B=x y"]\n'
    )
    read = read_settings(config, "a")
    assert (read.stack, read.region, read.overrides) == ("s", "eu-west-1", {"A": "1", "B": "x y"})
    assert read_settings(config, "b").overrides == read.overrides
    with pytest.raises(KeyError):
        read_settings(config, "c")
    with pytest.raises(ValueError, match="Name=Value"):
        parse_overrides("A")
