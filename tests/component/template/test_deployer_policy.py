"""The policy of the deploying principal, from the templates and AWS's tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from cli.preflight.permissions import list_samples
from cli.preflight.plan import Plan, add_further, build_plan
from cli.preflight.policy import (
    LONGEST_POLICY,
    MOST_POLICIES,
    SERVICES,
    Statement,
    build_policies,
    list_statements,
    list_types,
)
from cli.preflight.templates import TEMPLATE, further_templates
from cli.template_values import read_template
from extensions import find_template
from tools import deployer_actions

from .stack import TEMPLATES, Stack, name_template, transformed

EVERYTHING = {
    "InferenceMode": "endpoint",
    "EndpointImageUri": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/endpoint@sha256:0",
    "PageEmail": "pages@example.com",
    "TicketEmail": "tickets@example.com",
    "SimilarityStore": "s3vectors",
    "WafRateLimit": "100",
    "MonthlyBudgetUsd": "5",
    "Alarms": "all",
    "SourceBucket": "photos",
    "Dialects": "on",
}


def make_plan(*further: str, **parameters: str) -> Plan:
    made = build_plan(read_template(TEMPLATE), "darkroom", "eu-central-1", {}, parameters)
    for name in further:
        made = add_further(made, name, {}, {})
    return made


def list_allowed(*plans: Plan) -> set[str]:
    return {action for plan in plans for one in list_statements(plan) for action in one.actions}


def test_the_table_is_generated() -> None:
    """By `make docs`."""
    before = deployer_actions.TARGET.read_text(encoding="utf-8")
    deployer_actions.main()
    assert deployer_actions.TARGET.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("further", [(), further_templates()], ids=["alone", "all"])
def test_policies_fit_into_iams_limits(further: tuple[str, ...]) -> None:
    policies = build_policies(list_statements(make_plan(*further, **EVERYTHING), "111122223333"))
    assert 1 <= len(policies) <= MOST_POLICIES
    assert all(len(json.dumps(one, separators=(",", ":"))) <= LONGEST_POLICY for one in policies)
    texts = json.dumps(policies)
    assert "${" not in texts
    assert '"Action": ["*"' not in texts


def test_a_policy_has_what_its_plan_needs_and_no_more() -> None:
    plain, everything = make_plan(), make_plan(*further_templates(), **EVERYTHING)
    assert not {
        one for one in list_allowed(plain) if one.startswith(("sagemaker:", "wafv2:", "budgets:", "cognito-idp:"))
    }
    for prefix in ("sagemaker:Create", "wafv2:Create", "budgets:Modify", "cognito-idp:Create", "s3vectors:Create"):
        assert any(one.startswith(prefix) for one in list_allowed(everything)), prefix
    gradual = make_plan(Deployments="Canary10Percent5Minutes")
    assert "codedeploy:CreateDeploymentGroup" in list_allowed(gradual) - list_allowed(plain)
    data = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"}
    assert not list_allowed(everything) & (data | {"s3:PutReplicationConfiguration", "s3tables:CreateTable"})
    code = [one.resources for one in list_statements(everything) if {"s3:GetObject", "s3:PutObject"} & set(one.actions)]
    assert {resource for resources in code for resource in resources} == {
        "arn:aws:s3:::aws-sam-cli-managed-default-*",
        "arn:aws:s3:::darkroom-releases-*",
    }
    invoked = [one.resources for one in list_statements(everything) if "lambda:InvokeFunction" in one.actions]
    assert [name.rpartition(":")[2] for names in invoked for name in names] == ["darkroom-PublishFunction-*"]


def list_resources(plan: Plan, action: str) -> set[str]:
    return {arn for one in list_statements(plan) if action in one.actions for arn in one.resources}


def test_keys_and_secrets_of_others_are_out_of_reach() -> None:
    key = "arn:aws:kms:eu-central-1:111122223333:key/a"
    plain = list_allowed(make_plan())
    assert {one for one in plain if one.startswith("kms:")} == {"kms:DescribeKey"}  # of preflight
    assert list_resources(make_plan(KmsKeyArn=key), "kms:CreateGrant") == {key}
    secrets = "arn:aws:secretsmanager:eu-central-1:*:secret:"
    assert list_resources(make_plan(), "secretsmanager:GetSecretValue") == {f"{secrets}SigningKeys-*"}


def test_every_resource_type_of_every_template_has_its_create_and_delete() -> None:
    """By the schemas, for the types that SAM's transform makes of all templates."""
    plan = make_plan(*further_templates(), **EVERYTHING, Deployments="Canary10Percent5Minutes")
    kinds = {str(one["Type"]) for path in TEMPLATES for one in transformed(path=path)["Resources"].values()}
    assert kinds <= list_types(plan) | {"AWS::CloudFormation::Stack"}
    allowed = {one.lower() for one in list_allowed(plan)}
    assert {one for one in kinds if one.startswith("Custom::")} == {"Custom::EdgeEntries"}
    assert "lambda:invokefunction" in allowed
    for kind in sorted(kinds - {"Custom::EdgeEntries"}):
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
        own = [one for name in ("create", "delete") for one in handlers[name]["permissions"]]
        main = [one for one in own if re.search(r":(Create|Delete|Put|Register|Deregister)", one)]
        assert not main or any(one.lower() in allowed for one in main), kind


NAMES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
"""Properties with the names that the policy's patterns contain. Without one, CloudFormation takes the stack's name."""


def list_names() -> Iterator[tuple[str, str]]:
    for path in [TEMPLATE, *map(find_template, further_templates())]:
        parameters: dict[str, Any] = EVERYTHING if path == TEMPLATE else {"StackName": "stack"}
        for logical_id, one in Stack(path, **parameters).resources.items():
            if name := one.get("Properties", {}).get(NAMES.get(one["Type"], ""), ""):
                yield f"{name_template(path)} {logical_id}", str(name)


def test_names_begin_with_that_of_the_stack() -> None:
    found = dict(list_names())
    assert len(found) > 100
    wrong = {place: name for place, name in found.items() if not name.removeprefix("/aws/lambda/").startswith("stack-")}
    nested = {place for place, name in wrong.items() if name.startswith("<")}  # of an own stack: its name's parameter
    assert set(wrong) - nested == set()


def test_roles_are_passed_to_the_services_that_they_trust() -> None:
    trusted = {
        service.removesuffix(".amazonaws.com")
        for path in TEMPLATES
        for one in transformed(parameters={"Deployments": "Canary10Percent5Minutes"}, path=path)["Resources"].values()
        if one["Type"] == "AWS::IAM::Role"
        for statement in one["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for service in _as_list(statement["Principal"]["Service"])
    }
    assert trusted <= set(SERVICES)
    [passed] = [one.document() for one in list_statements(make_plan()) if "iam:PassRole" in one.actions]
    assert passed["Condition"]["StringEquals"]["iam:PassedToService"] == [f"{one}.amazonaws.com" for one in SERVICES]


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_a_statement_is_simulated_for_a_resource_of_each_pattern() -> None:
    assert list_samples(Statement(("s3:ListBucket",), ("arn:aws:s3:::a-*", "*"))) == ["arn:aws:s3:::a-0", "*"]


def test_a_long_statement_is_split() -> None:
    statement = Statement(tuple(f"service:Action{number}" for number in range(600)), ("*",))
    policies = build_policies([statement])
    assert len(policies) > 1
    assert [action for one in policies for part in one["Statement"] for action in part["Action"]] == list(
        statement.actions
    )
