"""Files of other projects' test suites, and what is decided about them."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

FOREIGN = Path(os.environ.get("DARKROOM_FOREIGN") or Path(__file__).parents[2] / "shared" / "foreign")
"""Where they are, with ``manifest.json``; tests that need them are skipped where it is absent."""

CASES = Path(__file__).parent / "cases" / "foreign.toml"
MAX_SHOWN_BY_LIBVIPS = 12
"""Files that libvips shows and that are refused, each by a decision."""


class Refusal(NamedTuple):
    """The error code of a refused file, the decision, and the decoders that show it."""

    code: str
    decision: str
    shown_by: list[str]


_TABLE: dict[str, Any] = tomllib.loads(CASES.read_text(encoding="utf-8"))
DECISIONS: dict[str, str] = _TABLE["decisions"]
REFUSED = {name: Refusal(**fields) for name, fields in _TABLE["refused"].items()}
DIFFERENCES: dict[str, str] = _TABLE["differences"]
DIFFERENT: dict[str, str] = _TABLE["different"]
"""Served files that Chromium shows otherwise, and in what."""


def read_manifest() -> dict[str, dict[str, Any]]:
    """What libvips says of each file: its width and height, or ``error``; empty where the folder is absent."""
    path = FOREIGN / "manifest.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return {entry["file"]: entry["libvips"] for entry in entries}


LIBVIPS = read_manifest()
