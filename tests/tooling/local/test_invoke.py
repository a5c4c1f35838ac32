"""The parts of ``darkroom invoke`` that need no stack."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from cli.main import main
from local.invoke import InvokeError, build_context, find_source, read_event
from local.paths import ROOT

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef as Configuration

TEMPLATE = """
Globals:
  Function: {Handler: app.handler}
Resources:
  CropFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/crop, Timeout: !Ref Timeout}
  EdgeFunction:
    Type: AWS::CloudFront::Function
    Properties: {}
  Bucket:
    Type: AWS::S3::Bucket
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.mark.parametrize("name", ["CropFunction", "crop"])
def test_a_function_is_found_by_logical_id_and_folder(template: Path, name: str) -> None:
    source = find_source(name, template)
    assert (source.logical_id, source.folder, source.handler) == (
        "CropFunction",
        template.parent / "functions" / "crop",
        "app.handler",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cro", "There is no function cro. Functions: crop"),
        ("Bucket", "There is no function Bucket. Functions: crop"),
        ("edge", "edge is JavaScript that runs in CloudFront, not in Lambda. Python functions: crop"),
        ("EdgeFunction", "EdgeFunction is JavaScript that runs in CloudFront, not in Lambda. Python functions: crop"),
    ],
)
def test_other_names_are_rejected_with_the_list_of_functions(template: Path, name: str, message: str) -> None:
    with pytest.raises(InvokeError) as error:
        find_source(name, template)
    assert str(error.value) == message


def test_an_event_is_read_from_a_file_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "event.json").write_text('{"key": "ü"}', encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"key": "stdin"}'))
    assert read_event(str(tmp_path / "event.json")) == {"key": "ü"}
    assert read_event("-") == {"key": "stdin"}


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read: No such file"), (b"{", "is not JSON"), (b"\xff", "is not JSON")]
)
def test_an_unusable_event_is_rejected(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "event.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvokeError, match=message) as error:
        read_event(str(path))
    assert "\n" not in str(error.value)


@pytest.fixture
def configuration() -> Configuration:
    document = {
        "FunctionName": "darkroom-CropFunction-1",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:darkroom-CropFunction-1",
        "MemorySize": 1769,
        "Timeout": 25,
        "LoggingConfig": {"LogGroup": "/aws/lambda/crop"},
    }
    return cast("Configuration", document)


def test_the_remaining_time_stays_at_the_timeout(configuration: Configuration) -> None:
    context = build_context(configuration, deadline=False)
    time.sleep(0.01)
    assert context.get_remaining_time_in_millis() == 25_000
    assert (context.function_name, context.memory_limit_in_mb) == ("darkroom-CropFunction-1", "1769")
    assert context.aws_request_id != build_context(configuration, deadline=False).aws_request_id


def test_the_remaining_time_counts_down_to_a_deadline(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [100.0]
    monkeypatch.setattr("local.invoke.time.monotonic", lambda: now_s[0])
    context = build_context(configuration, deadline=True)
    now_s[0] += 20
    assert context.get_remaining_time_in_millis() == 5_000
    now_s[0] += 20
    assert context.get_remaining_time_in_millis() == 0


def test_without_a_stack_it_prints_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = str(ROOT / "events" / "transform" / "hit.json")
    assert main(["invoke", "transform", event, "--state-dir", str(tmp_path)]) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"darkroom: No stack runs on this machine ({tmp_path}/stack.json is missing). ")
    assert len(captured.err.splitlines()) == 1
