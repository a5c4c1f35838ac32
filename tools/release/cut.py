"""``python -m tools.release.cut VERSION``: write a new version into the checkout.

It closes the changelog, and records the public surfaces. The result is one commit, which the tag ``vVERSION`` names.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from cli.releases.upgrading import CHANGELOG
from darkroom import VERSION
from tools import public_surfaces

from .notes import NoNotes, extract_notes

ROOT = Path(__file__).resolve().parents[2]

ALL_LINES = 100_000
VERSIONED: Mapping[str, int] = {
    "README.md": ALL_LINES,
    "docs/getting-started/cdk.md": ALL_LINES,
    "docs/getting-started/install.md": ALL_LINES,
    "docs/getting-started/terraform.md": ALL_LINES,
    "frontends/package-lock.json": 10,
    "frontends/package.json": 5,
    "layers/darkroom/darkroom/__init__.py": 10,
    "packages/cdk/python/example.py": 5,
    "packages/cdk/typescript/example.ts": 5,
    "packages/darkroom-url/pyproject.toml": 10,
    "packages/darkroom/README.md": ALL_LINES,
    "packages/darkroom/pyproject.toml": 10,
    "packages/signers/csharp/Darkroom.Signer.csproj": 10,
    "packages/signers/java/pom.xml": 10,
    "packages/signers/javascript/package.json": 5,
    "packages/signers/ruby/darkroom_signer.gemspec": 10,
    "pyproject.toml": 20,
}
"""Files that name the version, with how many of their first lines do: below them are versions of dependencies."""


def replace_version(text: str, old: str, new: str, lines: int) -> str:
    """Replace ``old`` in the first ``lines`` of ``text``, where it is no part of a longer version."""
    pattern = re.compile(rf"(?<![\d.]){re.escape(old)}(?!\.?\d)")
    return "".join(
        pattern.sub(new, line) if number < lines else line for number, line in enumerate(text.splitlines(keepends=True))
    )


def close_changelog(changelog: str, version: str, day: date) -> str:
    """Return ``changelog`` with [Unreleased] as the section of ``version``. Raises NoNotes if it has no entries."""
    if not extract_notes(changelog, "Unreleased").strip():
        raise NoNotes("CHANGELOG.md has no entry below [Unreleased]: a release without a change")
    heading = "## [Unreleased]\n"
    return changelog.replace(heading, f"{heading}\n## [{version}] - {day.isoformat()}\n", 1)


def cut(version: str, day: date) -> None:
    """Write ``version`` into all files that name it. Raises NoNotes."""
    changelog = ROOT / CHANGELOG
    changelog.write_text(close_changelog(changelog.read_text(encoding="utf-8"), version, day), encoding="utf-8")
    for name, lines in VERSIONED.items():
        path = ROOT / name
        path.write_text(replace_version(path.read_text(encoding="utf-8"), VERSION, version, lines), encoding="utf-8")


def main() -> None:
    """Cut the version; exit with 1 if there is nothing to release."""
    parser = argparse.ArgumentParser(prog="python -m tools.release.cut", description=__doc__)
    parser.add_argument("version", help="of the release, such as 1.2.3")
    try:
        cut(parser.parse_args().version, datetime.now(UTC).date())
    except NoNotes as error:
        sys.exit(f"error: {error}")
    public_surfaces.main()


if __name__ == "__main__":
    main()
