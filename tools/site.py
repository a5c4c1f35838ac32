"""Hooks of MkDocs for ``make site``.

Folders in the navigation become lists of their pages. Each extension has a section with the pages of its folder
``docs``, which are at ``extensions/<name>/`` in the site. Links to files that the site does not contain are shown as
text; one to a file that does not exist fails the build. An SVG becomes a part of its page, so that its links work,
and Mermaid's sequence diagrams become SVGs.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from extensions import Extension, list_extensions  # noqa: E402
from tools import sequence  # noqa: E402

DOCS = ROOT / "docs"
_DRAWING = re.compile(r"!\[[^\]]*\]\(([^)]+\.svg)\)")
_SEQUENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"(?:\d+\.|[-*]) +")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(((?:\.\./)+[^)#\s]*)(#[^)\s]*)?\)")

_NAMED = (
    (re.compile(r'(data-md-component="search" role="dialog")'), r'\1 aria-label="Search"'),
    (re.compile(r'aria-labelledby="(__nav_[\d_]+)_label"'), r'aria-labelledby="\1_title"'),
    (re.compile(r'(<label class="md-nav__title" for="(__nav_[\d_]+)")'), r'\1 id="\2_title"'),
    (re.compile(r'(<input class="md-option")'), r'\1 tabindex="-1"'),
    (re.compile(r"<th([^>]*)></th>"), r"<td\1></td>"),
)
"""Replacements in pages. The label of a section with a page of its own has an icon only, unlike the section's title. An
option of the palette is hidden from screen readers, and not to be reached by the keyboard either."""

BOOSTS = (
    ("guides/troubleshooting", 6.0),
    ("guides/", 3.0),
    ("getting-started/", 3.0),
    ("howto/", 2.0),
    ("decisions/", 0.1),
    ("explanation/performance", 0.1),
)
"""Factors of the search, by the beginning of a page's path; the first that matches, else 1. Guides come first, and
decisions and measurements last."""

AFTER_EXTENSIONS = "How to"
"""Entry of the navigation that follows the guides of extensions."""


def on_config(config: Any) -> Any:
    """Replace each folder in the navigation by its pages, ``README.md`` first, and add the extensions."""
    config.nav = [_expand(entry) for entry in config.nav]
    sections = [{one.title: [_place(page) for page in _list_pages(one)]} for one in list_extensions()]
    if sections:
        place = next(at for at, entry in enumerate(config.nav) if AFTER_EXTENSIONS in entry)
        config.nav.insert(place, {"Extensions": sections})
    return config


def _expand(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_expand(each) for each in entry]
    if isinstance(entry, dict):
        return {title: _expand(value) for title, value in entry.items()}
    if not (DOCS / entry).is_dir():
        return entry
    return [str(page.relative_to(DOCS)) for page in sorted((DOCS / entry).glob("*.md"), key=_order)]


def _order(page: Path) -> tuple[bool, bool, str]:
    return page.name != "README.md", page.name != "guide.md", page.name


def _list_pages(extension: Extension) -> list[Path]:
    return sorted((extension.folder / "docs").glob("*.md"), key=_order)


def on_files(files: Files, *, config: Any) -> Files:
    """Add the files of extensions."""
    for extension in list_extensions():
        for path in sorted((extension.folder / "docs").rglob("*")):
            if path.is_file():
                files.append(File.generated(config, _place(path), abs_src_path=str(path)))
    return files


def _place(path: Path) -> str:
    """Return where the site has a file of the repository; "" if it does not contain it."""
    if path.is_relative_to(DOCS):
        return str(path.relative_to(DOCS))
    parts = path.relative_to(ROOT).parts if path.is_relative_to(ROOT) else ()
    return "/".join((*parts[:2], *parts[3:])) if parts[:1] == ("extensions",) and parts[2:3] == ("docs",) else ""


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Have each link lead to its place in the site, or replace it by its text and the path of the file.

    The search lists pages by :data:`BOOSTS`, unless the page sets ``search.boost`` itself.
    """
    source = Path(page.file.abs_src_path)
    boost = next((factor for start, factor in BOOSTS if page.file.src_uri.startswith(start)), 1.0)
    page.meta.setdefault("search", {"boost": boost})

    def replace(match: re.Match[str]) -> str:
        text, target, fragment = match.groups()
        file = Path(os.path.normpath(source.parent / target))
        if place := _place(file):
            return f"[{text}]({os.path.relpath(place, Path(page.file.src_uri).parent)}{fragment or ''})"
        if not file.exists():
            raise PluginError(f"{page.file.src_uri}: there is no {target}")
        name = str(file.relative_to(ROOT))
        return f"`{name}`" if text.strip("`") in name else f"{text} (`{name}`)"

    drawn = _DRAWING.sub(lambda match: _embed((source.parent / match[1]).read_text(encoding="utf-8")), markdown)
    drawn = _SEQUENCE.sub(lambda match: _embed(sequence.draw(match[1])), drawn)
    return indent_items(_LINK.sub(replace, drawn))


def indent_items(markdown: str) -> str:
    """Indent what belongs to an item of a list by four spaces, as Python-Markdown needs it: GitHub needs fewer."""
    lines, width, is_code = [], 0, False
    for line in markdown.split("\n"):
        if line.startswith("```"):
            is_code, width = not is_code, 0
        elif not is_code and (marker := _ITEM.match(line)):
            width = len(marker[0])
        elif line and not line.startswith(" " * (width or 1)):
            width = 0
        lines.append(" " * 4 + line[width:] if width and line and not _ITEM.match(line) else line)
    return "\n".join(lines)


def on_post_page(output: str, **_: object) -> str:
    """Name what the theme leaves without a name, and have no heading of a column without text, for screen readers."""
    for pattern, replacement in _NAMED:
        output = pattern.sub(replacement, output)
    return output


def _embed(drawing: str) -> str:
    """Return an SVG in an element that scrolls where the page is narrower."""
    return f'<div style="overflow-x:auto">\n{drawing}</div>\n'
