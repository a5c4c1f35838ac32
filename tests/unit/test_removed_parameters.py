"""Names of removed template parameters occur in the changelog only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from extensions import list_templates

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "docs" / "reference" / "settings.md"
DECISIONS = ROOT / "docs" / "decisions"

INFERENCE = frozenset({"EndpointInvocations", "EndpointMaxInstances", "EndpointMinInstances", "EndpointAmi"})
"""Parameters of the root template that have no row in the tables: they belong to inference."""

WORDS = frozenset({"Tasks", "SnapStart"})
"""Names that are also words: Lambda's SnapStart, tasks of models. Found with a value (``SnapStart=on``) or as code."""

NESTED = frozenset({"CanaryWeight", "DataCapturePercent", "InferMemoryMb", "RunbookUrl", "MemoryMb"})
"""Not searched for as such: parameters of nested stacks, which documents may name. Found with a value only."""

EXPECTED = 50
"""Rows that the tables have at least, so that a changed page does not silence the test."""


def listed() -> frozenset[str]:
    """Names in the first columns of the tables of docs/reference/settings.md."""
    page = TABLES.read_text(encoding="utf-8")
    rows = page[page.index("## Parameters that became settings") :].splitlines()
    return frozenset(
        name for row in rows if row.startswith("| `") for name in re.findall(r"`(\w+)`", row.split("|")[1])
    )


REMOVED = (listed() - {"MemoryMb", "RunbookUrl"}) | INFERENCE | NESTED


PATTERNS = (
    rf"(?<!\.)\b(?:{'|'.join(NESTED)})=",  # not a value of an extension, ``NAME.MemoryMb=``
    *(rf"\b{name}=|`{name}`" for name in WORDS),
    rf"\b(?:{'|'.join(REMOVED - NESTED - WORDS)})\b",
)

MENTION = re.compile("|".join(PATTERNS))


def released(changelog: str) -> str:
    """The changelog without the sections of releases and without the lines about replacements."""
    text = changelog[: re.search(r"^## \[\d", changelog, re.MULTILINE).start()]  # type: ignore[union-attr]
    return "\n\n".join(item for item in re.split(r"\n(?=- |#)", text) if "replaces" not in item)


def prose(template: str) -> str:
    """Descriptions and comments of a template: a name in its code that nothing declares would not deploy."""
    return "\n".join(re.findall(r"^ *Description:.*(?:\n +[^\n:]*$)*|(?<=\s)#.*$", template, re.MULTILINE))


def texts() -> Iterator[tuple[str, str]]:
    """All files of readers and clients: a file's name and the searched text."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "endpoint").glob("*.md")]
    data = [*(ROOT / "docs").rglob("*.json"), *(ROOT / "events").rglob("*.json"), ROOT / "samconfig.toml"]
    for path in sorted([*pages, *data]):
        if path == TABLES or DECISIONS in path.parents:
            continue
        text = path.read_text(encoding="utf-8")
        yield str(path.relative_to(ROOT)), released(text) if path.name == "CHANGELOG.md" else text
    for path in (ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml")), *list_templates()):
        yield str(path.relative_to(ROOT)), prose(path.read_text(encoding="utf-8"))


TEXTS = dict(texts())


def test_the_tables_are_found() -> None:
    assert len(listed()) >= EXPECTED - len(NESTED)
    assert {"AccessMode", "RefineHits", "SnapStart", "MonitorMinutes"} <= REMOVED


def test_no_removed_name_is_one_of_a_parameter() -> None:
    head = (ROOT / "template.yaml").read_text(encoding="utf-8").partition("\nResources:")[0]
    assert not REMOVED & set(re.findall(r"^  (\w+):$", head, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_removed_parameter_is_named(name: str) -> None:
    assert MENTION.findall(TEXTS[name]) == []


def test_a_mention_is_found() -> None:
    found = "`SnapStart=on`, the `Tasks`, AlwaysRedact, MemoryMb=512"
    assert MENTION.findall(found) == ["SnapStart=", "`Tasks`", "AlwaysRedact", "MemoryMb="]
    assert MENTION.findall("Lambda's SnapStart, Tasks of models, `CanaryWeight` in stacks") == []
    assert (
        MENTION.findall(prose("  A:\n    Description: As KeepGps says.\n    KeepGps: 1 # or KeepGps\n"))
        == ["KeepGps"] * 2
    )
