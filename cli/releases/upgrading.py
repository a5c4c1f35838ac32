"""What an upgrade needs beside the deployment: the changelog's steps, and the extensions that are deployed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .change_sets import describe_stack
from .files import PREFIX, name_prefix

CHANGELOG = "CHANGELOG.md"
_SECTION = re.compile(r"^## \[(?P<version>\d[^\]]*)\]", re.MULTILINE)
_STEP = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def read_version(parameters: Mapping[str, str]) -> str:
    """Return the version of the release that a stack with these parameters was installed from, "" if from none."""
    before, after = name_prefix("\0").split("\0")
    prefix = parameters.get(PREFIX, "")
    known = prefix.startswith(before) and prefix.endswith(after)
    return prefix[len(before) : -len(after)] if known else ""


def list_steps(changelog: str, installed: str) -> Iterator[tuple[str, str]]:
    """Yield version and text of each step that releases after ``installed`` need: what their sections have in bold.

    They are those of the newest release alone if the changelog does not know ``installed``.
    """
    starts = list(_SECTION.finditer(changelog))
    versions = [one["version"] for one in starts]
    newer = versions.index(installed) if installed in versions else 1
    for number, (start, version) in enumerate(zip(starts[:newer], versions, strict=False)):
        end = starts[number + 1].start() if number + 1 < len(starts) else None
        for step in _STEP.findall(changelog[start.end() : end]):
            yield version, " ".join(_LINK.sub(r"\1", step).split())


def list_extensions(cloudformation: Any, stack: str, names: Iterable[str]) -> list[str]:
    """Return those of ``names`` whose stack is deployed beside ``stack``."""
    return [name for name in names if name and describe_stack(cloudformation, f"{stack}-{name}")]
