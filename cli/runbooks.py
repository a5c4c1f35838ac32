"""Runbooks: their text for one stack, and their command blocks, which a shell runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import IS_CHECKOUT, local_stack

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "guides" / "runbooks"
WITHIN_S = 1200.0
"""Limit that detects a hang."""

_CREDENTIALS = "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_AWS = re.compile(r"(?<![\w./-])aws (?=(?P<service>[a-z][a-z0-9-]+) [a-z\"])")
_PLACES = re.compile(r"^Commands: .*\n\n", re.MULTILINE)
"""Where the commands of a page of the documentation run, which its copy for the local stack does not need."""

_NAMED = re.compile(r"(?<=[`'\"])darkroom-(?=[a-z…])|(?<=/aws/lambda/)darkroom-|(?<=Darkroom/)darkroom\b")
"""Alarms, log groups and the metric namespace, which have the name of their stack."""


@dataclass(frozen=True, slots=True)
class StackCommands:
    """How commands name one stack: ``options`` of ``./darkroom``, and ``aws``, the start of commands of the AWS CLI.

    ``services`` has that start for services with an address of their own.
    """

    name: str
    options: str
    aws: str
    services: Mapping[str, str] = field(default_factory=dict)


def name_aws_stack(name: str, *, region: str = "", profile: str = "") -> StackCommands:
    """Name a stack on AWS. Without region and profile, commands use those of the user's environment."""
    options = {"profile": profile, "region": region}
    chosen = "".join(f" --{option} {shlex.quote(value)}" for option, value in options.items() if value)
    return StackCommands(name, f"--stack {shlex.quote(name)}{chosen}", f"aws{chosen}")


def name_local_stack(info: Mapping[str, Any], state: Path) -> StackCommands:
    """Name the stack on this machine that ``info``, the content of ``stack.json``, describes.

    Its commands name address and credentials: the AWS CLI 1 does not apply AWS_ENDPOINT_URL to SQS, and a shell that is
    set up for a real account must not reach it.
    """

    def start(url: str) -> str:
        return f"{_CREDENTIALS} aws --endpoint-url {url} --region {info['region']}"

    sagemaker = start(info["sagemaker_url"] or info["aws_endpoint_url"])
    folder = "" if state == local_stack.STATE else f" --state-dir {shlex.quote(str(state))}"
    services = {"sagemaker": sagemaker, "sagemaker-runtime": sagemaker}
    return StackCommands(info["stack_name"], f"--local{folder}", start(info["aws_endpoint_url"]), services)


def list_runbooks() -> list[str]:
    """Return the names of all runbooks."""
    return sorted(path.stem for path in PAGES.glob("*.md"))


def read_runbook(name: str) -> str:
    """Return a runbook as it is in the documentation: for a stack ``darkroom`` on AWS. Raises LookupError."""
    if name not in list_runbooks():
        raise LookupError(f"There is no runbook {name!r}; there are {', '.join(list_runbooks())}.")
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def list_blocks(text: str) -> list[str]:
    """Return the command blocks of a page. The first one defines what the others use."""
    return _BLOCK.findall(text)


def write_for(stack: StackCommands, text: str) -> str:
    """Return ``text``, a page or its commands, with the commands and names of ``stack``."""
    if stack.options.startswith("--local"):
        text = _PLACES.sub("", text)
    text = re.sub(r"--stack darkroom\b", lambda _: stack.options, text)
    text = re.sub(r"--stack-name darkroom\b", lambda _: f"--stack-name {shlex.quote(stack.name)}", text)
    text = _NAMED.sub(lambda found: found[0].replace("darkroom", stack.name), text)
    return _AWS.sub(lambda found: f"{stack.services.get(found['service'], stack.aws)} ", text)


def set_values(text: str, values: Mapping[str, str]) -> str:
    """Replace the values of variables that commands assign, such as ``key``. Raises LookupError for a missing one."""
    for name, value in values.items():
        line = re.compile(rf"^{re.escape(name)}=\S*$", re.MULTILINE)
        if not line.search(text):
            raise LookupError(f"The commands assign no variable {name!r}.")
        text = line.sub(lambda _, name=name, value=value: f"{name}={shlex.quote(value)}", text)  # type: ignore[misc]
    return text


def run(
    blocks: Sequence[str], environment: Mapping[str, str], *, folder: Path, by: str = "", captured: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``blocks`` in order, in ``folder``, as the user ``by``; the first failing command ends the run.

    The command ``./darkroom`` is this one. Output that is not ``captured`` is shown. Raises
    subprocess.TimeoutExpired.
    """
    there = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AWS_PAGER": "",
        **({"USER": by} if by else {}),
    }
    if not (command := folder / "darkroom").exists():
        command.symlink_to(ROOT / "darkroom" if IS_CHECKOUT else Path(sys.argv[0]).resolve())
    return subprocess.run(  # noqa: S603
        ["bash", "-c", "\n".join(["set -euo pipefail", *blocks])],  # noqa: S607
        cwd=folder,
        env={**environment, **there},
        capture_output=captured,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
