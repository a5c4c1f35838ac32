"""Build hook: put the files of the checkout that the command needs into the wheel, at their places in the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[2]
INCLUDED = (
    "cli",
    "docs/guides/runbooks",
    "extensions",
    "layers/analysis/darkroom_analysis",
    "layers/darkroom/darkroom",
    "layers/dialects/darkroom_dialects",
    "layers/pipeline/darkroom_pipeline",
    "observability",
    "pyproject.toml",
    "samconfig.toml",
    "stacks",
    "template.yaml",
)
"""What commands for stacks on AWS import and read."""

EXCLUDED = ("bench", "docs", "events", "tests")
"""Folders of an extension that they do not."""


class CheckoutFiles(BuildHookInterface[Any]):
    """Adds the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002, as hatchling calls it
        """Map each file that git knows to its place in the wheel."""
        listed = subprocess.run(  # noqa: S603
            ["git", "ls-files", "-z", *INCLUDED],  # noqa: S607
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            first, *rest = Path(name).parts
            if not (first == "extensions" and len(rest) > 1 and rest[1] in EXCLUDED):
                build_data["force_include"][str(ROOT / name)] = f"darkroom_cli/checkout/{name}"
