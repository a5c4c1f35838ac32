"""The deployer's policies and the check of preflight, by MiniStack's evaluation of IAM policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.main import main
from extensions import list_extensions

REGION, STACK = "eu-central-1", "policy-trial"
FURTHER = [word for one in list_extensions() for word in ("--further", one.flag)]


@pytest.fixture
def policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The policies that the command writes."""
    command = ["policy", "--stack", STACK, "--region", REGION, "--account", "000000000000", "--to", str(tmp_path)]
    assert main([*command, *FURTHER]) == 0
    files = capsys.readouterr().out.split()
    assert files == sorted(map(str, tmp_path.iterdir()))
    return [json.loads(Path(one).read_text(encoding="utf-8")) for one in files]


class Principal:
    """An IAM user whose credentials are those of the environment."""

    def __init__(self, aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self._iam, self.name = aws("iam"), f"deployer-{uuid4().hex[:8]}"
        self._iam.create_user(UserName=self.name)
        key = self._iam.create_access_key(UserName=self.name)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    def attach(self, policies: list[dict[str, Any]]) -> None:
        """Give the user these policies, as managed ones."""
        for number, document in enumerate(policies):
            made = self._iam.create_policy(PolicyName=f"{self.name}-{number}", PolicyDocument=json.dumps(document))
            self._iam.attach_user_policy(UserName=self.name, PolicyArn=made["Policy"]["Arn"])


@pytest.fixture
def principal(aws: Callable[[str], Any], ministack_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Principal]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack_url)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield Principal(aws, monkeypatch)


def examine(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """The exit code of preflight, and its finding about permissions."""
    arguments = ["preflight", "--config-env", "small", "--stack", STACK, "--region", REGION, *FURTHER]
    code = main([*arguments, "--json"])
    [found] = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["subject"] == "permissions"]
    return code, found


@pytest.mark.slow
def test_the_policies_permit_the_deployment(
    principal: Principal, policies: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    principal.attach(policies)
    code, found = examine(capsys)
    assert (code, found["status"]) == (0, "ok"), found


@pytest.mark.slow
def test_a_missing_action_is_named(
    principal: Principal, policies: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    missing = {"cloudfront:CreateDistribution", "iam:PassRole", "sqs:CreateQueue"}
    for statement in (one for policy in policies for one in policy["Statement"]):
        statement["Action"] = [one for one in statement["Action"] if one not in missing] or ["sts:GetCallerIdentity"]
    principal.attach(policies)
    code, found = examine(capsys)
    assert (code, found["status"]) == (1, "problem")
    assert found["found"].endswith(f"may not {', '.join(sorted(missing))}")
    options = " ".join(["--stack", STACK, "--region", REGION, *FURTHER, "--to", "policies"])
    assert found["command"] == f"./darkroom policy {options}"


@pytest.mark.slow
def test_a_principal_that_may_simulate_nothing_is_unknown(
    principal: Principal, capsys: pytest.CaptureFixture[str]
) -> None:
    principal.attach(
        [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}]
    )
    _, found = examine(capsys)
    assert (found["status"], "AccessDenied" in found["found"]) == ("unknown", True)


def test_other_stacks_are_out_of_reach(
    principal: Principal, policies: list[dict[str, Any]], aws: Callable[[str], Any], ministack_url: str
) -> None:
    """The credentials create what has the stack's name, and nothing else."""
    principal.attach(policies)
    session = boto3.Session(region_name=REGION)
    s3, queues = (session.client(name, endpoint_url=ministack_url) for name in ("s3", "sqs"))
    where = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    s3.create_bucket(Bucket=f"{STACK}-mediabucket-{uuid4().hex[:8]}", **where)
    queues.create_queue(QueueName=f"{STACK}-ingest")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.create_bucket(Bucket=f"another-{uuid4().hex[:8]}", **where)
    with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
        queues.create_queue(QueueName="another-ingest")


def test_every_resource_is_simulated_with_its_context(principal: Principal, aws: Callable[[str], Any]) -> None:
    """As IAM does; MiniStack alone takes the first resource, and no context."""
    passed = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    statement = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "arn:aws:iam::*:role/a-*",
        "Condition": passed,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    roles = [f"arn:aws:iam::000000000000:role/{name}" for name in ("a-1", "b-1")]

    def decide(service: str) -> list[str]:
        found = aws("iam").simulate_custom_policy(
            PolicyInputList=[document],
            ActionNames=["iam:PassRole"],
            ResourceArns=roles,
            ContextEntries=[
                {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": [service], "ContextKeyType": "string"}
            ],
        )
        return [one["EvalDecision"] for one in found["EvaluationResults"]]

    assert decide("lambda.amazonaws.com") == ["allowed", "implicitDeny"]
    assert decide("ec2.amazonaws.com") == ["implicitDeny", "implicitDeny"]
