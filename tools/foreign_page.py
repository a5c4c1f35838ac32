"""Generate the tables of docs/reference/foreign-files.md from tests/cases/foreign.toml."""

from __future__ import annotations

import tomllib
from typing import Any

from tools.generated_blocks import ROOT, Content, table

CASES = ROOT / "tests" / "cases" / "foreign.toml"
PAGE = ROOT / "docs" / "reference" / "foreign-files.md"
_TABLE: dict[str, Any] = tomllib.loads(CASES.read_text(encoding="utf-8"))


def _list_decisions() -> str:
    refused = _TABLE["refused"].values()
    rows = []
    for name, text in _TABLE["decisions"].items():
        files = [one for one in refused if one["decision"] == name]
        codes = ", ".join(f"`{code}`" for code in sorted({one["code"] for one in files}))
        rows.append((f"`{name}`", text, codes, str(len(files)), str(sum(bool(one["shown_by"]) for one in files))))
    return table(("decision", "reason", "code", "files", "of them shown by another decoder"), *rows)


def _list_refused() -> str:
    rows = (
        (f"`{name}`", f"`{one['code']}`", f"`{one['decision']}`", ", ".join(one["shown_by"]))
        for name, one in _TABLE["refused"].items()
        if one["shown_by"]
    )
    return table(("file", "code", "decision", "shown by"), *rows)


def _list_differences() -> str:
    found: dict[str, list[str]] = {}
    for name, difference in _TABLE["different"].items():
        found.setdefault(difference, []).append(f"`{name}`")
    rows = ((_TABLE["differences"][name], " ".join(files)) for name, files in found.items())
    return table(("difference", "files"), *rows)


CONTENT: Content = {
    "decisions": _list_decisions,
    "refused": _list_refused,
    "differences": _list_differences,
}
"""Content of the page's places."""
