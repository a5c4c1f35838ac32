"""Check commands in the documentation: AWS CLI by its models, ``darkroom`` by its parser."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from botocore import xform_name
from botocore.model import OperationModel
from botocore.session import get_session

from cli.commands import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("extensions/*/docs/*.md")))
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
"""Commands of the CLI without an operation of the same name."""

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


# ----------------------------------------------------------------- the command darkroom

_TEXTS = (*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "packages/darkroom-url/README.md")))
_DARKROOM = re.compile(r"(?<![\w/.-])\./darkroom ((?:[^\n|;&`'\"()<>#]|'[^']*'|\"[^\"]*\"|\$\([^()]*\))+)")
_MODULE = re.compile(r"(?:python[0-9.]*|^) *-m ((?:local|tools|bench|chaos|gameday|observability|cli)[a-z_.]*)", re.M)
LEAST_DARKROOM = 60


def darkroom_commands() -> list[tuple[str, list[str]]]:
    """Place and arguments of each call of the command."""
    found = []
    for page in _TEXTS:
        for rest in _DARKROOM.findall(page.read_text(encoding="utf-8").replace("\\\n", " ")):
            words = [word for word in shlex.split(rest) if not word.startswith("[")]  # [--optional] in a summary
            found.append((f"{page.relative_to(ROOT)}: darkroom {rest.strip()}", words))
    return found


DARKROOM = darkroom_commands()


def test_calls_of_the_command_are_found() -> None:
    assert len(DARKROOM) >= LEAST_DARKROOM


@pytest.mark.parametrize(("place", "words"), DARKROOM, ids=[place for place, _ in DARKROOM])
def test_a_call_of_the_command_names_commands_and_options_that_exist(place: str, words: list[str]) -> None:
    command: click.Command = app
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    if isinstance(command, click.Group):
        assert command is not app or rest[:1] in (["--version"], ["--help"], ["…"]) or rest[0].startswith("--"), place
        return
    options = {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}
    given = {word.partition("=")[0].rstrip(",.:") for word in rest if word.startswith("--") and word != "--"}
    assert given <= options | {"--help"}, place


def test_no_text_names_a_module_that_does_not_run() -> None:
    missing = []
    for page in (*_TEXTS, *sorted((ROOT / "endpoint").glob("*.md")), ROOT / "Makefile", ROOT / "template.yaml"):
        for module in _MODULE.findall(page.read_text(encoding="utf-8")):
            path = ROOT.joinpath(*module.rstrip(".").split("."))
            if not (path / "__main__.py").is_file() and not path.with_suffix(".py").is_file():
                missing.append(f"{page.relative_to(ROOT)}: python -m {module}")
    assert missing == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/getting-started/local-stack.md"])
def test_a_documented_breakpoint_is_a_statement_of_the_handler(page: str) -> None:
    app_file = ROOT / "functions" / "transform" / "app.py"
    [handler] = [
        node
        for node in ast.walk(ast.parse(app_file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "handler"
    ]
    numbers = {
        int(number) for number in re.findall(r"transform/app\.py:(\d+)", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert numbers
    assert numbers <= {node.lineno for node in handler.body}


_READERS = (
    *PAGES,
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("packages/**/README.md")),
    *sorted(ROOT.glob("*/README.md")),
)
"""Pages whose commands readers enter, without decisions, which are history."""

_ASSIGNED = re.compile(
    r"(?:^|[\s;(&])([A-Za-z_]\w*)=|\bfor ([A-Za-z_]\w*) in|\bread (?:-\w+ )*([A-Za-z_]\w*)", re.MULTILINE
)
_USED = re.compile(r"\$\{?([A-Za-z_]\w*)")
_FROM_SHELL = frozenset({"HOME", "PATH", "PWD", "USER"})
_BARE_PYTHON = re.compile(r"(?<![\w/.-])python3? -m (?!venv)\w")


@pytest.mark.parametrize("page", _READERS, ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_are_set_on_the_page_before_they_are_used(page: Path) -> None:
    known = set(_FROM_SHELL)
    missing = []
    for block in _FENCE.findall(page.read_text(encoding="utf-8")):
        known |= {name for names in _ASSIGNED.findall(block) for name in names if name}
        missing += [name for name in _USED.findall(re.sub(r"'[^']*'", "", block)) if name not in known]
    assert missing == []


def test_commands_of_python_name_their_interpreter() -> None:
    """Without an activated environment, ``python`` is another one, or none."""
    pages = [page for page in _READERS if page.parent.name != "decisions" and not re.match(r"\d{4}-", page.name)]
    found = [
        f"{page.relative_to(ROOT)}: {line.strip()}"
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
        if _BARE_PYTHON.search(line) and "<!--" not in line
    ]
    assert found == []


def test_no_command_of_git_names_a_version() -> None:
    """A clone of a fork, or a shallow one, has no tags."""
    named = [
        (str(page.relative_to(ROOT)), tag)
        for page in _READERS
        for block in _FENCE.findall(page.read_text(encoding="utf-8"))
        for tag in re.findall(r"\bgit [^\n]*?\b(v\d+\.\d+\.\d+)", block)
    ]
    assert named == []


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        word
        for page in PAGES
        for block in _FENCE.findall(page.read_text(encoding="utf-8"))
        for words in re.findall(r"^ *make ([^#\n]*)", block, re.MULTILINE)
        for word in words.split()
        if "=" not in word
    }
    assert {"run", "test"} <= named <= targets
