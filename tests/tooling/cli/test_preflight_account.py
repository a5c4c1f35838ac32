"""Tests of reading an account from MiniStack: existing facts are read, others are unknown, nothing changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from cli.main import main
from cli.preflight.account import IAM_ACTIONS, Certificate, Concurrency, ExistingStack, Reader, Unknown
from cli.preflight.checks import CLOUDFRONT_QUOTAS
from local.paths import ROOT

CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
KEY = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, ministack_url: str) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack_url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return boto3.Session(region_name="us-east-1")


@pytest.fixture
def reader(session: boto3.Session, ministack_url: str) -> Reader:
    return Reader(session, "us-east-1", ministack_url)


def test_what_the_engine_has_is_read(reader: Reader) -> None:
    assert str(reader.read_identity()).startswith("arn:aws:iam::000000000000:")
    assert reader.read_stack("no-such-stack") == ExistingStack()
    concurrency = reader.read_concurrency("")
    assert isinstance(concurrency, Concurrency)
    assert concurrency.quota >= concurrency.unreserved > 0


def test_resources_of_cloudfront_are_counted(reader: Reader, aws: Callable[[str], Any]) -> None:
    kind = "AWS::CloudFront::OriginAccessControl"
    before = reader.count_in_cloudfront(kind)
    for number in range(3):
        config = {
            "Name": f"preflight-{number}",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
        aws("cloudfront").create_origin_access_control(OriginAccessControlConfig=config)
    after = reader.count_in_cloudfront(kind)
    assert isinstance(before, int)
    assert after == before + 3


def test_a_stack_is_read_with_its_parameters(reader: Reader, aws: Callable[[str], Any]) -> None:
    body = """
Parameters: {Answer: {Type: String, Default: "42"}}
Resources: {Topic: {Type: AWS::SNS::Topic}}
Outputs: {TransformFunctionName: {Value: transform}}
"""
    client = aws("cloudformation")
    client.create_stack(StackName="preflight-read", TemplateBody=body)
    client.get_waiter("stack_create_complete").wait(StackName="preflight-read", WaiterConfig={"Delay": 1})
    stack = reader.read_stack("preflight-read")
    assert isinstance(stack, ExistingStack)
    assert (stack.status, stack.parameters["Answer"]) == ("CREATE_COMPLETE", "42")
    assert stack.outputs["TransformFunctionName"] == "transform"


def test_certificates_and_keys_are_read(reader: Reader, aws: Callable[[str], Any]) -> None:
    names = ["images.example.com", "*.example.com"]
    made = aws("acm").request_certificate(DomainName=names[0], SubjectAlternativeNames=names)
    certificate = reader.read_certificate(made["CertificateArn"])
    assert isinstance(certificate, Certificate)
    assert set(names) <= set(certificate.names)
    assert isinstance(reader.read_certificate(CERTIFICATE), Unknown)
    key = aws("kms").create_key()["KeyMetadata"]
    assert reader.read_key_state(key["Arn"]) == "Enabled"
    assert isinstance(reader.read_key_state(KEY), Unknown)


@pytest.mark.slow
def test_what_the_engine_lacks_is_unknown_with_a_reason(reader: Reader) -> None:
    for fact in (reader.read_quotas("cloudfront"), reader.read_services(), reader.has_vectors()):
        assert isinstance(fact, Unknown)
        assert fact.reason


def test_an_account_that_does_not_answer_is_unknown(session: boto3.Session) -> None:
    fact = Reader(session, "us-east-1", "http://127.0.0.1:1").read_concurrency("")
    assert isinstance(fact, Unknown)
    assert "127.0.0.1:1" in fact.reason


@pytest.mark.slow
def test_the_command_ends_well_where_nothing_is_in_the_way(
    session: boto3.Session, ministack_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["preflight", "--config-env", "small", "--region", "eu-central-1"]
    assert main([*arguments, "--stack", "preflight-none"]) == 0
    output = capsys.readouterr().out
    assert "ok       stack: preflight-none does not exist in eu-central-1" in output
    assert "unknown  services: " in output
    assert output.splitlines()[-1].endswith("unknown")


@pytest.mark.slow
def test_a_wrong_value_and_an_unknown_stack_are_named(
    session: boto3.Session, ministack_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["preflight", "--config-env", "small", "--region", "eu-central-1"]
    assert main(arguments) == 0
    assert "ok       Lambda memory: no function has more than the 3008 MB of new accounts" in capsys.readouterr().out
    assert main([*arguments, "RetentionDays=90,30,14,45,365"]) == 1
    assert "problem  RetentionDays: CloudWatch Logs cannot keep logs for 45 days" in capsys.readouterr().out
    assert main([*arguments, "--further", "alarms"]) == 2
    assert "there is no further stack alarms" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_says_what_is_in_the_way(
    session: boto3.Session, ministack_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["preflight", "--region", "ap-south-2", "--parameter-overrides"]
    assert main([*arguments, "ReservedConcurrency=5000", f"CertificateArn={CERTIFICATE}"]) == 1
    output = capsys.readouterr().out
    assert "problem  region: ap-south-2 has no Lambda function URLs" in output
    assert "problem  Lambda concurrency: 5000 are to be reserved" in output
    assert "problem  CertificateArn: there is no such certificate" in output


@pytest.mark.slow
def test_another_region_than_that_of_the_configuration_is_named(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert main(["preflight", "--config-env", "small", "--stack", "preflight-none"]) == 1
    output = capsys.readouterr().out
    assert "problem  region: AWS_REGION is eu-central-1, which the SAM CLI ignores" in output
    assert "ok       stack: preflight-none does not exist in eu-west-3" in output


@pytest.mark.parametrize(
    "arguments", [["--config-env", "none"], ["--parameter-overrides", "NoSuch=1"], ["--parameter-overrides", "word"]]
)
def test_a_wrong_question_is_refused(
    session: boto3.Session, ministack_url: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preflight", "--region", "us-east-1", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.fixture
def called(session: boto3.Session) -> Iterator[set[str]]:
    """Yield the operations of all clients of the session as ``service:Operation``."""
    seen: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        seen.add(f"{model.service_model.signing_name}:{model.name}")

    session.events.register("before-call", note)
    yield seen


@pytest.mark.slow
def test_only_the_listed_actions_are_called(session: boto3.Session, ministack_url: str, called: set[str]) -> None:
    reader = Reader(session, "us-east-1", ministack_url)
    reader.read_identity()
    reader.read_stack("darkroom")
    reader.read_concurrency("a-function")
    reader.read_quotas("lambda")
    reader.read_services()
    reader.read_certificate(CERTIFICATE)
    reader.read_key_state(KEY)
    reader.has_vectors()
    reader.read_principal("arn:aws:sts::000000000000:assumed-role/none/session")
    reader.read_refused("arn:aws:iam::000000000000:user/none", ["sts:GetCallerIdentity"], ["*"], {})
    for kind in CLOUDFRONT_QUOTAS:
        reader.count_in_cloudfront(kind)
    # IAM leaves out the date that CloudFront has in its operations' names
    assert {re.sub(r"\d{4}_\d{2}_\d{2}$", "", one) for one in called} == set(IAM_ACTIONS)


def test_the_documented_actions_are_those() -> None:
    text = (ROOT / "docs" / "getting-started" / "deploy.md").read_text(encoding="utf-8")
    section = text[text.index("## Preflight") : text.index("## Parameters")]
    assert set(re.findall(r"`([a-z0-9]+:[A-Z][A-Za-z]+)`", section)) == set(IAM_ACTIONS)
    assert all(action.partition(":")[2].startswith(("Describe", "Get", "List", "Simulate")) for action in IAM_ACTIONS)
