"""Reject words that have a standard term: ``python -m tools.terms``. The words are in ``tools/terms.toml``."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORDS = Path(__file__).with_suffix(".toml")
SUFFIXES = (".py", ".md", ".js", ".mjs", ".html", ".yaml", ".toml")
ALLOWED = "terms: allow"
"""A line with this text may hold any word."""


@dataclass(frozen=True)
class Rule:
    """Words that are rejected, a regular expression, and what to write instead. ``python_only`` leaves other files
    alone.
    """

    words: str
    instead: str
    python_only: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return the expression for whole words."""
        return _match_words(self.words, 0 if self.python_only else re.IGNORECASE)


def read_rules(document: Mapping[str, Mapping[str, str]]) -> list[Rule]:
    """Read the tables ``prose`` (any letter case, every file) and ``python`` (exact case, Python only)."""
    return [
        Rule(words, instead, python_only)
        for table, python_only in (("prose", False), ("python", True))
        for words, instead in document[table].items()
    ]


@cache
def _match_words(words: str, flags: int) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", flags)


def find_words(rules: Sequence[Rule], text: str, *, python: bool) -> Iterator[tuple[int, str, str]]:
    """Yield line number, word and replacement of each rejected word in ``text``."""
    # One expression first, because most lines have none of the words.
    anywhere = _match_words("|".join(rule.words for rule in rules), re.IGNORECASE)
    for number, line in enumerate(text.splitlines(), 1):
        if ALLOWED in line or not anywhere.search(line):
            continue
        for rule in rules:
            if python or not rule.python_only:
                yield from ((number, match.group(), rule.instead) for match in rule.pattern.finditer(line))


def list_files(exempt: Sequence[str]) -> Iterator[Path]:
    """List the text files of the repository, those that are new, too, without the exempt ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix in SUFFIXES and path.is_file() and not any(fnmatch(name, pattern) for pattern in exempt):
            yield path


def main() -> int:
    """Print each rejected word with its place. Return 1 if there is one."""
    document = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    rules, found = read_rules(document), 0
    for path in list_files(document["exempt"]["files"]):
        text = path.read_text(encoding="utf-8")
        for number, word, instead in find_words(rules, text, python=path.suffix == ".py"):
            sys.stdout.write(f"{path.relative_to(ROOT)}:{number}: {word!r}: write {instead}\n")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
