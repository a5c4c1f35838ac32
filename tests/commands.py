"""The command ``darkroom`` in tests: in this process, and about a stack of a few resources in MiniStack."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.main import main

_numbers = itertools.count(1)

BASIC = {"CdnUrl": "https://cdn.example", "UploadApiUrl": "https://upload.example"}
"""Outputs that every stack has."""


_FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/none",
        "Code": {"ZipFile": "def handler(event, context): pass"},
    },
}


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The document that ``--json`` writes."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()


@dataclass(frozen=True)
class Commands:
    """The command line, with options that choose a stack."""

    options: tuple[str, ...]
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> Done:
        """Run a command about the stack."""
        self.capsys.readouterr()
        code = main([*self.options, *words])
        captured = self.capsys.readouterr()
        return Done(code, captured.out, captured.err)


def deploy(
    environment: Mapping[str, str],
    outputs: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
    functions: Sequence[str] = (),
) -> str:
    """Deploy a stack with ``outputs``, functions of these logical ids, and nothing else; its name."""
    name = f"commands-{next(_numbers)}"
    given = parameters or {}
    template = {
        "Parameters": {one: {"Type": "String"} for one in given},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, **dict.fromkeys(functions, _FUNCTION)},
        "Outputs": {one: {"Value": value} for one, value in {**BASIC, **outputs}.items()},
    }
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": one, "ParameterValue": value} for one, value in given.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return name


def local(
    environment: Mapping[str, str],
    state: Path,
    capsys: pytest.CaptureFixture[str],
    outputs: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
    functions: Sequence[str] = (),
    **facts: Any,
) -> Commands:
    """The command line about a stack on this machine, whose state folder is ``state``."""
    name = deploy(environment, outputs, parameters, functions)
    defaults = {
        "stack_name": name,
        "region": environment["AWS_REGION"],
        "aws_endpoint_url": environment["AWS_ENDPOINT_URL"],
        "sagemaker_url": "",
        "cdn_url": "http://127.0.0.1:1",
        "upload_url": "http://127.0.0.1:2",
        "control_url": "http://127.0.0.1:1/_local",
        "outputs": {**BASIC, **outputs},
    }
    (state / "stack.json").write_text(json.dumps(defaults | facts))
    return Commands(("--state-dir", str(state)), capsys)
