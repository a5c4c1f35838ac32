"""The corpus of real images, and the expected result of each file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

CORPUS = Path(os.environ.get("DARKROOM_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
"""Where it is; tests that need it are skipped where it is absent."""

CASES = Path(__file__).parent / "cases" / "corpus.toml"

EXPECTED: dict[str, str] = tomllib.loads(CASES.read_text(encoding="utf-8"))
"""``ready``, or the code of the refusal, by path in the corpus."""

SCENES = ("giant-image.jpg",)
"""Those of them that are over the limits of one worker."""

REFUSED = {name: code for name, code in EXPECTED.items() if code != "ready"} | dict.fromkeys(SCENES, "over-limits")
"""Error codes by path, of files that are refused where an image is decoded whole."""


def files() -> list[str]:
    """Every file that is there, by path."""
    return sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file())
