"""Where the commands of a page run: in a checkout or by the installed command, for the local stack or one on AWS."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable

import click

from cli.commands import app
from cli.environments import NOTE, STACK_NOTE
from local.paths import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("extensions/*/docs/*.md")))

CHECKOUT, INSTALLED, AWS, LOCAL = "checkout", "installed command", "AWS account", "local stack"

_BLOCK = re.compile(r"^( *)```(?:sh|bash|console)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
STATED = re.compile(r"^ *Commands: (.+)\.$", re.MULTILINE)
_OF_A_CHECKOUT = re.compile(r"^ *(?:\w+=\S+ )?(?:make|sam|sudo apt-get) |\.venv/|\.local/|\bendpoint/", re.MULTILINE)
_OF_AWS = re.compile(r"(?<![\w./-])aws (?!lambda/)[a-z]|^ *sam deploy|--stack |DARKROOM_STACK=|--region ", re.MULTILINE)
_OF_THIS_MACHINE = re.compile(r"(?:127\.0\.0\.1|localhost):(?:8088|4566)|^ *make (?:run|replay)\b", re.MULTILINE)
_ARGUMENTS = r"((?:[^\n|;&`'\"()<>#]|'[^']*'|\"[^\"]*\"|\$\([^()]*\))+)"
_OF_THE_CHECKOUT = re.compile(rf"(?<![\w/.-])\./darkroom {_ARGUMENTS}")
_INSTALLED = re.compile(r"^ *(?:pipx|darkroom) ", re.MULTILINE)

_WITHOUT_A_STACK = frozenset({"cutout-model", "endpoint-image", "extensions", "upscale-model"})
"""Commands of a checkout that have the option ``--stack``, as all have, and no use for it."""


def list_blocks(text: str) -> list[str]:
    """Return the blocks of shell commands of a page."""
    return [textwrap.dedent(block) for _, block in _BLOCK.findall(text)]


def first_command(text: str) -> int:
    """Return where the first block begins, or -1."""
    found = _BLOCK.search(text)
    return found.start() if found else -1


def derive(blocks: Iterable[str]) -> str:
    """Return the places as a page has to state them."""
    text = "\n".join(block.replace("\\\n", " ") for block in blocks)
    places = {LOCAL} if _OF_THIS_MACHINE.search(text) else set()
    if _OF_AWS.search(text):
        places |= {LOCAL} if re.search(r"AWS_ENDPOINT_URL=|--endpoint-url", text) else {AWS}
    calls = [_describe(rest, chosen="DARKROOM_STACK=" in text) for rest in _OF_THE_CHECKOUT.findall(text)]
    places |= {LOCAL} if any(uses_local_stack for _, uses_local_stack in calls) else set()
    checkout_only = bool(_OF_A_CHECKOUT.search(text)) or any(needs_checkout for needs_checkout, _ in calls)
    places |= {CHECKOUT} if calls or checkout_only else set()
    places |= {INSTALLED} if _INSTALLED.search(text) or (calls and not checkout_only) else set()
    return ", ".join(filter(None, (_join(places, CHECKOUT, INSTALLED), _join(places, AWS, LOCAL))))


def _join(places: set[str], *wanted: str) -> str:
    return " or ".join(place for place in wanted if place in places)


def _describe(arguments: str, *, chosen: bool) -> tuple[bool, bool]:
    """Return whether a call of ``./darkroom`` needs a checkout, and whether it is about the local stack."""
    command: click.Command = app
    words = shlex.split(arguments, comments=True)
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    uses_a_stack = "shared_stack" in {one.name for one in command.params} and command.name not in _WITHOUT_A_STACK
    local = uses_a_stack and not chosen and not {"--stack", "--region", "--profile"} & set(words)
    return local or command.epilog in {NOTE, STACK_NOTE}, local
