"""The AWS CLI's commands in the documentation: operations and options, by the models that the CLI is made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.model import OperationModel
from botocore.session import get_session

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_FENCE = re.compile(r"^ *```(?:sh|bash|console)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(
    r"(?<![\w./-])aws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]+)((?:[^\n|;&`'\"()]|'[^']*'|\"[^\"]*\"|\$\([^()]*\))*)"
)
_OPTION = re.compile(r"(?<=\s)--([a-z][a-z0-9-]*)")
CUSTOM = frozenset(
    {
        ("s3", "*"),
        ("configure", "*"),
        ("logs", "tail"),
        ("ecr", "get-login-password"),
        ("cloudformation", "deploy"),
        ("cloudformation", "package"),
    }
)
"""What the CLI has of its own, without an operation of the same name."""

RENAMED = {("create-invalidation", "paths"): "invalidation-batch"}
"""An option of the CLI's own, and the member that it makes."""
GLOBAL = frozenset(
    {
        "query",
        "output",
        "region",
        "profile",
        "endpoint-url",
        "no-cli-pager",
        "no-paginate",
        "max-items",
        "page-size",
        "starting-token",
        "cli-input-json",
        "cli-binary-format",
        "cli-read-timeout",
        "no-sign-request",
    }
)
"""Options of every command."""
EXPECTED_LEAST = 60
"""Commands that are found at least, so that a changed page does not silence the test."""


def commands() -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """Place, service, command and options of each."""
    for page in PAGES:
        for fence in _FENCE.findall(page.read_text(encoding="utf-8")):
            for service, command, rest in _COMMAND.findall(fence.replace("\\\n", " ")):
                if (service, "*") not in CUSTOM and (service, command) not in CUSTOM and command != "wait":
                    options = frozenset(_OPTION.findall(re.sub(r"'[^']*'|\"[^\"]*\"|\$\([^()]*\)", "x", rest)))
                    yield f"{page.relative_to(ROOT)}: aws {service} {command}", service, command, options


COMMANDS = sorted(set(commands()))


@cache
def operations(service: str) -> dict[str, OperationModel]:
    model = get_session().get_service_model({"s3api": "s3", "configservice": "config"}.get(service, service))
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def test_commands_are_found() -> None:
    assert len(COMMANDS) >= EXPECTED_LEAST


@pytest.mark.parametrize(("place", "service", "command", "options"), COMMANDS, ids=[found[0] for found in COMMANDS])
def test_a_command_is_one_of_the_cli(place: str, service: str, command: str, options: frozenset[str]) -> None:
    operation = operations(service)[command]
    shape = operation.input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    required = {xform_name(name, "-") for name in shape.required_members} if shape else set()
    given = {RENAMED.get((command, option), option) for option in options}
    assert {option if option in members else option.removeprefix("no-") for option in given - GLOBAL} <= members, place
    if "cli-input-json" not in options:
        assert required <= given, place
