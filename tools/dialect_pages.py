"""Generate counts, refused options and examples of docs/reference/dialects.

Supported options are described there, or in a file here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.plan.canonical import canonical_path
from darkroom.plan.options import EXTENDED_OPTIONS
from darkroom_dialects.common.mapping import OptionMapping, count_supported
from darkroom_dialects.common.settings import DialectSettings, ImgproxySettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.parsers import DialectParser, load_parser
from darkroom_dialects.registry import DIALECTS, Dialect, Documentation
from tools.generated_blocks import ROOT, Content, table

FOLDER = ROOT / "docs" / "reference" / "dialects"

_SETTINGS = DialectSettings(
    Sources((("//images.example.com/", ""),)),
    {"logo": "watermarks/logo.png"},
    ImgproxySettings(presets={"sharp": "sharpen:0.7"}),
)
"""Settings for the examples: a source address, a watermark and a preset."""


@dataclass(frozen=True)
class DialectPage:
    """The generated content of one page. ``parser`` is the package of ``dialect``."""

    dialect: Dialect
    parser: DialectParser
    documentation: Documentation

    @property
    def mappings(self) -> Sequence[OptionMapping[Any]]:
        return self.parser.OPTION_MAPPINGS

    def content(self) -> Content:
        """Return the content of each generated block of the page."""
        return {
            "refused": self.refused,
            "counts": self.counted,
            "examples": self.spelled,
            **({"supported": self.supported} if self.notes.exists() else {}),
        }

    @property
    def notes(self) -> Path:
        """The file with arguments, options of ours and a note of each supported option, if the page has none."""
        return ROOT / "tools" / f"{self.dialect.name}_options.csv"

    def supported(self) -> str:
        with self.notes.open(encoding="utf-8", newline="") as lines:
            rows = {row["option"]: row for row in csv.DictReader(lines)}
        found = ((quote_names(option), rows[option.name]) for option in self.mappings if option.parse)
        return table(
            ("option", "arguments", "becomes", ""),
            *(
                (names, _quote(row["arguments"]), " ".join(map(_quote, row["becomes"].split())), _cell(row["note"]))
                for names, row in found
            ),
        )

    def refused(self) -> str:
        rows = ((quote_names(option), _cell(option.refused)) for option in self.mappings if not option.parse)
        return table(("option", "refused because"), *rows)

    def counted(self) -> str:
        """Return the number of supported options by group; groups without any are only in the table of refusals."""
        parts = ((self.count(group), label) for group, label in self.documentation.groups)
        return ", ".join(f"{covered} of {of} {label}" for (covered, of), label in parts if covered)

    def count(self, group: str) -> tuple[int, int]:
        return count_supported(self.mappings, group)

    def spelled(self) -> str:
        prefix = "" if self.dialect.keeps_prefix else self.dialect.prefix
        parse: Callable[..., Any] = self.parser.parse
        examples = self.documentation.examples
        rows = ((f"`{prefix}{one}`", f"`{canonical_path(parse(one, _SETTINGS).plan)}`") for one in examples)
        return table(("URL", "canonical request"), *rows)


def quote_names(option: OptionMapping[Any]) -> str:
    """Return the name and the aliases of ``option`` as in the first column of the tables."""
    return " ".join(f"`{name}`" for name in option.names)


def _quote(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


DIALECT_PAGES = tuple(
    DialectPage(dialect, load_parser(dialect), dialect.documentation)
    for dialect in DIALECTS
    if dialect.documentation is not None
)


def _index() -> str:
    rows = (
        (
            f"[{page.documentation.title}]({page.dialect.name}.md)",
            f"`{page.dialect.prefix}/…`",
            page.documentation.signature,
            page.counted(),
        )
        for page in DIALECT_PAGES
    )
    return table(("dialect", "URLs", "signature", "covered"), *rows)


def _extended_options() -> str:
    rows = ((f"`{option.short}`", _cell(option.type.allowed_values), _cell(option.doc)) for option in EXTENDED_OPTIONS)
    return table(("option", "values", "meaning"), *rows)


PAGES: dict[Path, Content] = {
    FOLDER / "README.md": {"dialects": _index, "extended-options": _extended_options},
    **{FOLDER / f"{page.dialect.name}.md": page.content() for page in DIALECT_PAGES},
}
"""The generated content of each page."""
