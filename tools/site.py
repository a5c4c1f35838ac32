"""Hooks of MkDocs for ``make site``.

Folders in the navigation become lists of their pages. Links to files outside ``docs/`` are shown as text, because the
site does not contain these files; one to a file that does not exist fails the build.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(((?:\.\./)+[^)#\s]*)(?:#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    """Replace each folder in the navigation by its pages, ``README.md`` first."""
    config.nav = [_expand(entry) for entry in config.nav]
    return config


def _expand(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_expand(each) for each in entry]
    if isinstance(entry, dict):
        return {title: _expand(value) for title, value in entry.items()}
    if not (DOCS / entry).is_dir():
        return entry
    return [str(page.relative_to(DOCS)) for page in sorted((DOCS / entry).glob("*.md"), key=_order)]


def _order(page: Path) -> tuple[bool, str]:
    return page.name != "README.md", page.name


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Replace each link that leaves ``docs/`` by its text and the path of the file."""

    def replace(match: re.Match[str]) -> str:
        text, target = match.groups()
        file = Path(os.path.normpath((DOCS / page.file.src_uri).parent / target))
        if file.is_relative_to(DOCS):
            return match.group()
        if not file.exists():
            raise PluginError(f"{page.file.src_uri}: there is no {target}")
        name = str(file.relative_to(ROOT))
        return f"`{name}`" if text.strip("`") in name else f"{text} (`{name}`)"

    return _LINK.sub(replace, markdown)
