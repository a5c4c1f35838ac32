"""Writes what frontends/ takes from darkroom.plan and from the edge function, and the code in docs/frontends.md.

``frontends/tables.mjs`` holds tables for browsers; ``frontends/edge.mjs`` is the edge function's own reading of URLs as
a module, so that a canonical request is spelled by the same code wherever JavaScript spells one.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "darkroom")]

from darkroom.plan.negotiation import LADDER_PX  # noqa: E402
from darkroom.plan.options import OPTIONS  # noqa: E402
from darkroom.plan.presets import Presets, configured  # noqa: E402
from functions.edge.tables import with_tables  # noqa: E402

FOLDER = ROOT / "frontends"
PAGE = ROOT / "docs" / "frontends.md"

_EDGE = ROOT / "functions" / "edge"
_SOURCES = ("texts.js", "kinds.js", "request.js", "plan.js")
"""What reads a URL and spells a request; the rest of the edge function is about viewers and the CDN."""

_HEAD = "// Written by `make docs` from {source}. A test finds it stale.\n\n"
_REFUSING = """
/** A URL that Darkroom refuses: `code` and `option` are those of its answer. */
export class Refusal extends Error {
    constructor(code, detail, option) {
        super(detail || code);
        this.code = code;
        this.option = option;
    }
}

function refuse(code, detail, option) {
    throw new Refusal(code, detail, option);
}

function wrong(detail, option) {
    refuse('bad-option', detail, option);
}

export { checkLength, isUnsigned, lastPart, planOf, readKey, readValues, startOf, wrong };
"""
_SNIPPET = re.compile(r"(<!-- file: (\S+) -->).*?(<!-- /file -->)", re.DOTALL)


def tables(presets: Presets) -> str:
    """``frontends/tables.mjs``: the widths without a signature, names of options, and presets as in a URL."""
    constants = {
        "LADDER": ("Widths in px that need no signature.", list(LADDER_PX)),
        "OPTION_NAMES": ("Options by their short and long names.", {option.short: option.long for option in OPTIONS}),
        "PRESETS": ("What each preset stands for.", {name: dict(found) for name, found in presets.options.items()}),
    }
    written = (
        f"/** {doc} */\nexport const {name} = {json.dumps(value)};\n" for name, (doc, value) in constants.items()
    )
    return _HEAD.format(source="darkroom.plan") + "\n".join(written)


def edge(presets: Presets) -> str:
    """``frontends/edge.mjs``: the sources of the edge function that read a URL, with their tables, as a module."""
    source = "\n".join((_EDGE / name).read_text(encoding="utf-8") for name in _SOURCES)
    named = " and darkroom.plan, ".join(("functions/edge", ", ".join(_SOURCES)))
    return _HEAD.format(source=named) + with_tables(source, "/* tables */", presets) + _REFUSING


def illustrated(page: str) -> str:
    """``page`` with the files it names between ``<!-- file: path -->`` and ``<!-- /file -->``."""
    return _SNIPPET.sub(lambda place: f"{place[1]}\n\n{_block(ROOT / place[2])}\n\n{place[3]}", page)


def _block(file: Path) -> str:
    kind = {".mjs": "js", ".jsx": "jsx"}.get(file.suffix, file.suffix.removeprefix("."))
    return f"```{kind}\n{file.read_text(encoding='utf-8').rstrip()}\n```"


def written(presets: Presets) -> dict[Path, str]:
    """Every file that is written, and what it has to hold."""
    return {
        FOLDER / "tables.mjs": tables(presets),
        FOLDER / "edge.mjs": edge(presets),
        PAGE: illustrated(PAGE.read_text(encoding="utf-8")),
    }


if __name__ == "__main__":
    for path, text in written(configured()).items():
        path.write_text(text, encoding="utf-8")
