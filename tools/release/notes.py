"""Release notes: the section of a version in CHANGELOG.md."""

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
