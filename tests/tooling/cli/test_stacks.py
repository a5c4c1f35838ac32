"""Stacks on AWS and on this machine, by one code path; MiniStack stands for AWS. And what goes wrong on the way."""

from __future__ import annotations

import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.commands.functions import read_logs
from cli.exit_codes import ExitCode
from darkroom.plan.native_url import parse_url
from darkroom.services.upload_requests import verify_token
from darkroom.signing import verify
from tests import commands
from tests.commands import Commands
from tests.roles import create_role

KEY = "a key of more than 16 characters"
_numbers = itertools.count(1)


@pytest.fixture
def secret(aws: Callable[[str], Any]) -> str:
    text = json.dumps({"current": KEY, "previous": ""})
    return str(aws("secretsmanager").create_secret(Name=f"keys-{next(_numbers)}", SecretString=text)["ARN"])


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the machine's own."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def account(aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Credentials and address of an account that is MiniStack's."""
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    return aws_environment


@pytest.fixture(params=["aws", "local"])
def command(
    request: pytest.FixtureRequest,
    secret: str,
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Commands:
    """The command about the same stack, once by its name on AWS, once by the facts of this machine."""
    outputs = {"SigningKeysArn": secret}
    if request.param == "local":
        return commands.local(aws_environment, tmp_path, capsys, outputs, cdn_url="https://cdn.example")
    request.getfixturevalue("account")
    return Commands(("--stack", commands.deploy(aws_environment, outputs)), capsys)


@pytest.mark.slow
def test_a_url_is_signed_with_the_key_of_the_stack(command: Commands) -> None:
    done = command.run("sign", "/a.jpg?w=801", "--expires-in", "60", "--json")
    assert done.code == 0, done.err
    url = done.document["url"]
    assert url.startswith("https://cdn.example/a.jpg?w=801&exp=")
    request = parse_url(url.removeprefix("https://cdn.example"))
    verify(request.path, request.signature, request.expires_s, [KEY], time.time())
    assert command.run("sign", "/a.jpg?w=0").code == ExitCode.USAGE


@pytest.mark.slow
def test_a_token_is_signed_with_the_key_of_the_stack(command: Commands) -> None:
    done = command.run("token", "--prefix", "trips/", "--max-files", "2", "--json")
    grant = verify_token(done.document["token"], [KEY], time.time())
    assert (grant.prefix, grant.max_files, grant.priority) == ("trips/", 2, "")
    done = command.run("token", "--prefix", "trips/", "--priority", "urgent", "--json")
    assert verify_token(done.document["token"], [KEY], time.time()).priority == "urgent"
    assert command.run("token", "--prefix", "a//b").code == ExitCode.USAGE


def test_what_a_stack_was_not_deployed_with_is_named(command: Commands) -> None:
    done = command.run("registry", "list")
    assert (done.code, done.out) == (ExitCode.NOT_FOUND, "")
    assert "has no output ModelGroupName: deploy it with InferenceMode=endpoint" in done.err
    done = command.run("library", "report", "a-run")
    assert "has no output LibraryMachineArn: deploy it with BulkJobs=on" in done.err


def test_a_stack_that_is_not_there(account: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    done = Commands(("--stack", "no-such-stack"), capsys).run("status")
    assert (done.code, done.err) == (
        ExitCode.UNREACHABLE,
        "darkroom: There is no stack no-such-stack in us-east-1.\n",
    )


def test_missing_credentials(
    aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_environment["AWS_ENDPOINT_URL"])
    done = Commands(("--stack", "darkroom", "--region", "eu-central-1"), capsys).run("status")
    assert done.code == ExitCode.CREDENTIALS
    assert done.err == (
        "darkroom: Unable to locate credentials. Sign in (`aws sso login`), or name a profile with --profile.\n"
    )


def test_a_profile_that_is_not_configured(capsys: pytest.CaptureFixture[str]) -> None:
    done = Commands(("--profile", "missing"), capsys).run("status")
    assert (done.code, "missing" in done.err) == (ExitCode.CREDENTIALS, True)


def test_an_address_where_nothing_listens(
    account: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("cli.deployment.ATTEMPTS", 1)
    done = Commands(("--stack", "darkroom"), capsys).run("status")
    assert done.code == ExitCode.UNREACHABLE
    assert len(done.err.splitlines()) == 1


def test_a_stack_that_has_died_and_left_its_facts(
    aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = {"aws_endpoint_url": "http://127.0.0.1:9"}
    done = commands.local(aws_environment, tmp_path, capsys, {}, **dead).run("status")
    assert done.code == ExitCode.UNREACHABLE
    assert "127.0.0.1:9" in done.err


@pytest.fixture
def function(aws: Callable[[str], Any]) -> str:
    """A function with a log group."""
    name = f"darkroom-transform-{next(_numbers)}"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return {'seen': event}\n")
    role = create_role(aws("iam"), {"Service": "lambda.amazonaws.com"}, [])
    aws("lambda").create_function(
        FunctionName=name, Runtime="python3.13", Role=role, Handler="app.handler", Code={"ZipFile": code.getvalue()}
    )
    aws("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
    aws("logs").create_log_stream(logGroupName=f"/aws/lambda/{name}", logStreamName="one")
    return name


@pytest.fixture
def of_function(
    function: str,
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    monkeypatch.setattr("cli.deployment.Deployment.functions", {"TransformFunction": function})
    return commands.local(aws_environment, tmp_path, capsys, {})


def put_lines(aws: Callable[[str], Any], function: str, *lines: str, ago_s: float = 0) -> None:
    at_ms = int((time.time() - ago_s) * 1000)
    events = [{"timestamp": at_ms + number, "message": line} for number, line in enumerate(lines)]
    aws("logs").put_log_events(logGroupName=f"/aws/lambda/{function}", logStreamName="one", logEvents=events)


@pytest.mark.slow
def test_the_log_of_a_function_is_printed(of_function: Commands, function: str, aws: Callable[[str], Any]) -> None:
    put_lines(aws, function, '{"level":"INFO"}', '{"level":"ERROR"}\n', ago_s=60)
    put_lines(aws, function, "long ago", ago_s=7200)
    for name in ("transform", "TransformFunction", function):
        done = of_function.run("logs", name)
        assert [line.split(" ", 1)[1] for line in done.lines] == ['{"level":"INFO"}', '{"level":"ERROR"}']
    [line] = of_function.run("logs", "transform", "--filter", "ERROR", "--json").lines
    assert json.loads(line)["message"] == '{"level":"ERROR"}'
    assert len(of_function.run("logs", "transform", "--since", "3h").lines) == 3
    assert len(of_function.run("logs", "transform", "--since", "3h", "--limit", "1").lines) == 1
    done = of_function.run("logs", "nothing")
    assert (done.code, "Functions: transform" in done.err) == (ExitCode.NOT_FOUND, True)


def test_a_log_is_followed_and_each_line_printed_once(
    function: str, aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    group, waits = f"/aws/lambda/{function}", itertools.count(1)
    monkeypatch.setattr("cli.commands.functions.time.sleep", lambda _: put_lines(aws, function, f"line {next(waits)}"))
    put_lines(aws, function, "line 0")
    followed = read_logs(aws("logs"), group, time.time() - 60, follow=True)
    assert [event["message"] for event in itertools.islice(followed, 4)] == [f"line {number}" for number in range(4)]


@pytest.mark.slow
def test_a_deployed_function_is_invoked(of_function: Commands, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"key": "a.jpg"}')
    done = of_function.run("invoke", "transform", str(event), "--deployed")
    assert json.loads(done.out) == {"seen": {"key": "a.jpg"}}
    event.write_text("{")
    assert of_function.run("invoke", "transform", str(event), "--deployed").code == ExitCode.USAGE


@pytest.mark.slow
def test_keys_are_purged(
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = next(_numbers)
    bucket, queue = f"purged-{number}", aws("sqs").create_queue(QueueName=f"purge-{number}")["QueueUrl"]
    aws("s3").create_bucket(Bucket=bucket)
    for key in ("masters/trips/a.-C3A9.jpg", "masters/trips/b.jpg", "masters/c.jpg", "derivatives/c.jpg/_/w-320.webp"):
        aws("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    outputs = {
        "MediaBucketName": bucket,
        "MastersUri": f"s3://{bucket}/masters/",
        "PurgeQueueUrl": queue,
        "DistributionId": "E1",
    }
    command = commands.local(aws_environment, tmp_path, capsys, outputs)

    def sent() -> set[str]:
        messages = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return {json.loads(message["Body"])["key"] for message in messages}

    document = command.run("purge", "c.jpg", "--json").document
    assert (document["keys"], document["invalidation"]) == (1, None)
    assert document["usd"] == pytest.approx(0.02, rel=0.01)  # two passes over two paths
    assert sent() == {"c.jpg"}
    assert command.run("purge", "--prefix", "trips/").out == "purging 2 keys\n"
    assert sent() == {"trips/aé.jpg", "trips/b.jpg"}
    assert command.run("purge", "a//b").code == ExitCode.USAGE
    manifest = tmp_path / "manifest.txt"
    manifest.write_text("gone/é.jpg\n\ngone/b c.jpg\r\ngone/é.jpg\n", encoding="utf-8")
    assert command.run("purge", "--manifest", str(manifest), "--dry-run").out == "2 keys: at most $0.04, about 2 min\n"
    assert sent() == set()
    assert command.run("purge", "--manifest", str(manifest)).out == "purging 2 keys\n"
    assert sent() == {"gone/é.jpg", "gone/b c.jpg"}
    manifest.write_text("a.jpg\n/b.jpg\n", encoding="utf-8")
    refused = command.run("purge", "--manifest", str(manifest))
    assert (refused.code, "line 2: " in refused.err, sent()) == (ExitCode.USAGE, True, set())
    manifest.write_text("".join(f"{n}.jpg\n" for n in range(100)))
    asked = command.run("purge", "--manifest", str(manifest))  # without an answer
    assert (asked.code != ExitCode.OK, "Purge 100 keys: at most $2.00" in asked.err, sent()) == (True, True, set())
    assert command.run("purge", "--manifest", str(manifest), "--yes").out == "purging 100 keys\n"
    assert command.run("purge", "--all", "--dry-run").code == ExitCode.USAGE
