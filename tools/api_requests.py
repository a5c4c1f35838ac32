"""AWS API requests that a local stack recorded with their parameters, held against AWS's models of the services.

MiniStack refuses what the models of its own botocore exclude (``local/emulation/validation.py``). Here the recorded
parameters are held against the models of this environment's botocore too, which is newer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.emulation.api_models import find_operation
from local.emulation.constraints import find_violations

RECORD = "api-requests.jsonl"
"""The file in a local stack's state folder to which MiniStack appends requests."""

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "engines.md"

_CONSTRAINT = re.compile(r"Value '.*' at '(.*?)' failed to satisfy constraint: (.*)", re.DOTALL)
_SHORTENED = re.compile(r"<\d+ (bytes|characters)>")


@dataclass(frozen=True)
class Request:
    """One of each kind of request: who sent it ("" for the root user), what, and the constraints that do not hold.

    ``refused`` are violations of the request, for which it was refused; ``response`` are those of the response.
    """

    role: str
    operation: str
    parameters: Mapping[str, Any]
    refused: tuple[str, ...]
    response: tuple[str, ...]


def read_requests(state: Path) -> list[Request]:
    """Read the requests that the stack in the folder ``state`` recorded."""
    record = state / RECORD
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    return [
        Request(line["role"], line["operation"], line["parameters"], tuple(line["refused"]), tuple(line["response"]))
        for line in lines
    ]


def find_refused(requests: Iterable[Request]) -> Iterator[str]:
    """Yield what AWS would refuse of requests of functions: operation and constraint."""
    for request in requests:
        if not request.role:
            continue
        for violation in request.refused:
            yield f"{request.role} {request.operation}: {violation}"
        service, _, name = request.operation.partition(".")
        shape = find_operation(service, name).input_shape
        for found in find_violations(shape, request.parameters):
            if not request.refused and not _SHORTENED.fullmatch(found.value):
                yield f"{request.role} {request.operation}: {found}"


def read_documented(page: Path = PAGE) -> set[tuple[str, str]]:
    """Return operation and member of the differences that the section "Responses" of the page lists."""
    section = page.read_text(encoding="utf-8").partition("\n## Responses\n")[2]
    rows = [row.split("|") for row in section.splitlines() if row.startswith("| `")]
    return {(row[1].strip(" `"), member) for row in rows for member in re.findall("`([^`]+)`", row[2])}


def find_differences(requests: Iterable[Request]) -> set[tuple[str, str]]:
    """Return operation and member of what AWS's models exclude in the local engine's responses."""
    found = set()
    for request in requests:
        for violation in request.response:
            if match := _CONSTRAINT.fullmatch(violation):
                found.add((request.operation, re.sub(r"\[\d+\]", "[]", match[1])))
    return found
