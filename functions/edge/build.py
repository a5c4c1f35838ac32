"""Writes the edge functions into template.yaml: their sources with the tables of darkroom in them, made small.

Run by ``make edge`` after every change of a source, of the option table or of presets.toml; a test finds a template
whose copy is stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "darkroom")]

from darkroom.plan.presets import Presets, load_default_presets  # noqa: E402
from functions.edge.minify import minify  # noqa: E402
from functions.edge.tables import STATE_FIELDS, insert_dialect_tables, insert_tables  # noqa: E402

SOURCES = (
    "store.js",
    "texts.js",
    "kinds.js",
    "request.js",
    "plan.js",
    "accept.js",
    "redaction.js",
    "headers.js",
    "handler.js",
)
"""In this order: engines of this family refuse a constant that stands below a function which reads it."""

DIALECTS_SOURCES = ("accept.js", "headers.js", "dialects.js")
"""Those of the function for other services' languages, below its import and its tables."""

TEMPLATE = ROOT / "template.yaml"
MAX_BYTES = 10_240
"""CloudFront's limit for the code of a function."""

_TABLES_MARK = "/* tables */"


def edge_code(presets: Presets | None = None) -> str:
    """The function as the template holds it, for ``presets`` (those of presets.toml by default)."""
    return minify(readable_code(presets or load_default_presets()), STATE_FIELDS)


def readable_code(presets: Presets) -> str:
    """The function before it is made small."""
    return insert_tables("\n".join(map(_source, SOURCES)), _TABLES_MARK, presets)


def dialects_code() -> str:
    """The function of other services' languages as the template holds it."""
    return minify(readable_dialects_code(), frozenset())


def readable_dialects_code() -> str:
    """The same before it is made small."""
    source = "\n".join([_source("store.js"), _TABLES_MARK, *map(_source, DIALECTS_SOURCES)])
    return insert_dialect_tables(source, _TABLES_MARK)


def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def insert_code(template: str, code: str, mark: str = "edge") -> str:
    """``template`` with ``code`` between the marks of its name; raises ValueError if it has no marks."""
    marked = re.compile(rf"^( *# {mark}:begin[^\n]*\n).*?^( *# {mark}:end)", re.DOTALL | re.MULTILINE)
    block = "".join(f"        {line}\n" for line in code.splitlines())
    how = "!Sub |-" if "${" in code else "|-"
    written, found = marked.subn(lambda marks: f"{marks[1]}      FunctionCode: {how}\n{block}{marks[2]}", template)
    if found != 1:
        raise ValueError(f"The template has no # {mark}:begin and # {mark}:end")
    return written


def main() -> None:
    """Write the template, and print how much of CloudFront's limit the code takes."""
    code = edge_code()
    if len(code) >= MAX_BYTES:
        sys.exit(f"The edge function has {len(code):,} bytes of {MAX_BYTES:,}. Are there presets to spare?")
    written = insert_code(TEMPLATE.read_text(encoding="utf-8"), code)
    TEMPLATE.write_text(insert_code(written, dialects_code(), "languages"), encoding="utf-8")
    print(f"{TEMPLATE.name}: the edge function takes {len(code):,} of {MAX_BYTES:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
