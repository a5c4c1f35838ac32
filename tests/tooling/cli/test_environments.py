"""The small environment of commands: each imports what it needs there, or continues with those of development."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from cli.commands import app
from cli.environments import COMMANDS
from cli.exit_codes import ExitCode
from cli.framework import Command
from local.paths import ROOT
from tests import commands

DARKROOM = ROOT / "darkroom"
IMPORTER = """
import json, sys
failed = {}
for name, code in json.load(sys.stdin).items():
    try:
        exec(code, {"__package__": "cli.commands", "__name__": "cli.commands.test"})
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps(failed))
"""
"""Runs each command's import statements; prints those that fail."""


def list_commands(group: click.Group, path: str = "") -> Iterator[tuple[str, Command]]:
    """Every command by its full name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from list_commands(command, f"{path}{name} ")
        elif isinstance(command, Command):
            yield f"{path}{name}", command


def find_imports(module: ModuleType, name: str) -> str:
    """The import statements within the function ``name`` of a module and within those that it calls there."""
    functions = {
        one.name: one
        for one in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    reached, waiting = set[str](), [name]
    while waiting:
        reached.add(current := waiting.pop())
        used = {one.id for one in ast.walk(functions[current]) if isinstance(one, ast.Name)}
        waiting += sorted((used & functions.keys()) - reached)
    nodes = [
        node
        for one in sorted(reached)
        for node in ast.walk(functions[one])
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return "\n".join(map(ast.unparse, nodes))


def read_function(command: Command) -> Any:
    """The function of a command, without the decorators of click."""
    return inspect.unwrap(command.callback)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the small environment, which the first call installs."""
    subprocess.run([DARKROOM, "--version"], check=True, capture_output=True)
    return COMMANDS / "bin" / "python"


def test_every_command_imports_what_it_needs(python: Path) -> None:
    wanted = {
        name: find_imports(inspect.getmodule(function), function.__name__)  # type: ignore[arg-type]
        for name, command in list_commands(app)
        if not (command.in_development or command.runs_stack) and (function := read_function(command))
    }
    assert sum(bool(code) for code in wanted.values()) > 40
    done = subprocess.run(
        [python, "-c", f"import cli.main\n{IMPORTER}"],
        input=json.dumps(wanted),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_the_environment_has_few_packages_with_hashes() -> None:
    text = (ROOT / "requirements-commands.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))
    assert {"boto3", "click"} <= names
    assert len(names) <= 15
    assert text.count("--hash=sha256:") >= len(names)


IMPORTS_OF_THE_STACK = """
import importlib, sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path

installed = set(sys.argv[1:])
distributions = packages_distributions()


class OfTheStack(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        owners = {one.lower().replace("_", "-") for one in distributions.get(name, [])}
        return None if owners and not owners & installed else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = OfTheStack
import cli.models.dynamic_axes, cli.models.efficientnet_lite, cli.models.fetch_models

for folder in ("local", "cloudfront_local"):
    for path in sorted(Path(folder).rglob("*.py")):
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
from local.samples import PHOTOGRAPHS, find_photographs

assert all((find_photographs() / name).exists() for name in PHOTOGRAPHS)
"""
"""Imports all modules of the local stack where only the named distributions can be imported."""


def test_the_local_stack_imports_what_its_environment_has() -> None:
    text = (ROOT / "requirements-stack.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS_OF_THE_STACK, *names, "darkroom", "scikit-image"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(names) < 60, "the first start installs them"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher without a Python path of the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return subprocess.run([DARKROOM, *words], env=inherited | environment, capture_output=True, text=True, check=False)


def test_a_command_that_needs_more_continues_with_the_packages_of_development(python: Path, tmp_path: Path) -> None:
    """Its modules import libvips, and then it needs a stack that does not run."""
    done = run("events", "--state-dir", str(tmp_path))
    assert (done.returncode, "No stack runs on this machine" in done.stderr) == (ExitCode.FAILED, True), done.stderr
    assert "Needs the packages of development" in " ".join(run("events", "--help").stdout.split())


@pytest.mark.slow
def test_commands_of_a_deployer_run_there(
    python: Path, aws_environment: dict[str, str], aws: Callable[[str], Any]
) -> None:
    account = aws_environment | {"AWS_CONFIG_FILE": os.devnull}
    done = run("preflight", "--config-env", "small", "--region", "us-east-1", "--further", "sources", **account)
    assert (done.returncode, done.stderr) == (ExitCode.OK, ""), done.stdout
    keys = json.dumps({"current": "a key of more than 16 characters", "previous": ""})
    secret = aws("secretsmanager").create_secret(Name="keys-of-a-small-environment", SecretString=keys)["ARN"]
    stack = commands.deploy(aws_environment, {"SigningKeysArn": secret})
    done = run("sign", "/a.jpg?w=801", "--stack", stack, "--region", "us-east-1", **account)
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout.startswith("https://cdn.example/a.jpg?w=801&")
