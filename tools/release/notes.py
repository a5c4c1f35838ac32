"""What CHANGELOG.md says of a release: its version, its date, its notes."""

from __future__ import annotations

import re


class NoNotes(ValueError):
    """The changelog has no section for the version."""


def extract_notes(changelog: str, version: str) -> str:
    """Return the section of ``version``, without its heading. Raises NoNotes."""
    heading = re.compile(rf"^## \[{re.escape(version)}\][^\n]*\n", re.MULTILINE)
    found = heading.search(changelog)
    if found is None:
        raise NoNotes(f"CHANGELOG.md has no section [{version}]: close [Unreleased] as that version first")
    rest = changelog[found.end() :]
    end = re.search(r"^(?:## |\[[^\]]+\]: )", rest, re.MULTILINE)
    return rest[: end.start() if end else None].strip() + "\n"


def find_last_release(changelog: str) -> tuple[str, str]:
    """Return version and date (ISO 8601) of the newest released section. Raises NoNotes."""
    found = re.search(r"^## \[(\d[^\]]*)\] - (\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    if found is None:
        raise NoNotes("CHANGELOG.md has no section of a released version")
    return found[1], found[2]
