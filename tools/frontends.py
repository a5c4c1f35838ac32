"""Generate the modules of frontends/ and the code in docs/guides/frontends.md.

``frontends/tables.mjs`` contains tables for browsers. ``frontends/edge.mjs`` is the edge function's URL parser as a
module, so that all JavaScript computes canonical requests with the same code.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from darkroom.plan.model import SOURCE_TYPES
from darkroom.plan.options import NATIVE_OPTIONS
from darkroom.plan.presets import Presets
from darkroom.plan.variants import LADDER_PX, AccessMode
from darkroom_pipeline.plan.edge_settings import SETTINGS_KEY, build_edge_entries
from functions.edge.tables import insert_tables
from tools.generated_blocks import ROOT

FOLDER = ROOT / "frontends"
PAGE = ROOT / "docs" / "guides" / "frontends.md"

_EDGE = ROOT / "functions" / "edge"
_SOURCES = ("texts.js", "kinds.js", "request.js", "plan.js")
"""Sources that parse a URL and build a canonical request; the others are about viewers and the CDN."""

_HEAD = "// Written by `make docs` from {source}. A test finds it stale.\n\n"
_READING = """
/** A URL that Darkroom refuses: `code` and `option` are those of the response. */
export class Refusal extends Error {
    constructor(code, detail, option) {
        super(detail || code);
        this.code = code;
        this.option = option;
    }
}

function refusalOf(thrown) {
    const text = ENTRIES['refusal-' + thrown[0]];
    const body = JSON.parse(text.split('%s').join(JSON.stringify('' + thrown[1]).slice(1, -1)));
    return new Refusal(body.code, body.detail, body.option);
}

function withPreset(values) {
    const preset = ENTRIES['preset-' + values.preset];
    return preset ? Object.assign(JSON.parse(preset), values) : refuse('bad-option.name', values.preset);
}

function canonical(path, query) {
    const start = '/' + encoded(readKey(path)) + '/_/';
    const values = readValues(query);
    const plan = planOf(values.preset ? withPreset(values) : values);
    const text = lastPart(plan);
    const room = Math.min(MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES - start.length);
    if (text.length - plan.f.length - 1 > room) {
        refuse('bad-option.long', room);
    }
    if (plan.page && (plan.redact || plan.boxes || plan.cutout)) {
        refuse('bad-option.pages');
    }
    const isUnsigned = isLadder(plan) || (isData(plan.f) ? !keysOf(plan)[1] : text === BARE_TEXT + 'auto');
    return { request: start + text, needsSignature: !isUnsigned && !ENTRIES['unsigned-' + text] };
}

/** Parse a path and a query. Throws a Refusal. */
export function read(path, query) {
    try {
        return canonical(path, query);
    } catch (error) {
        throw Array.isArray(error) ? refusalOf(error) : error;
    }
}
"""
_SNIPPET = re.compile(r"(<!-- file: (\S+) -->).*?(<!-- /file -->)", re.DOTALL)


def tables(presets: Presets) -> str:
    """Build ``frontends/tables.mjs``: widths without a signature, names of options, presets, and media types."""
    types = [(extension, name) for each in SOURCE_TYPES.values() for name, all_ in each.items() for extension in all_]
    constants: dict[str, tuple[str, object]] = {
        "LADDER": ("Widths in px that need no signature.", list(LADDER_PX)),
        "OPTION_NAMES": (
            "Options by their short and long names.",
            {option.short: option.long for option in NATIVE_OPTIONS},
        ),
        "PRESETS": ("Options of each preset.", {name: dict(found) for name, found in presets.options.items()}),
        "MEDIA_TYPES": ("Media types of uploads by file extension.", dict(types)),
    }
    written = (
        f"/** {doc} */\nexport const {name} = {json.dumps(value)};\n" for name, (doc, value) in constants.items()
    )
    return _HEAD.format(source="darkroom.plan") + "\n".join(written)


def edge(presets: Presets) -> str:
    """Build ``frontends/edge.mjs``: the edge function's URL parser with its tables.

    Presets and texts of refusals are those of the edge's KeyValueStore.
    """
    source = "\n".join([*((_EDGE / name).read_text(encoding="utf-8") for name in _SOURCES), _READING])
    named = " and darkroom.plan, ".join(("functions/edge", ", ".join(_SOURCES)))
    entries = {
        key: value for key, value in build_edge_entries(AccessMode.GUARDED, "", presets).items() if key != SETTINGS_KEY
    }
    written = insert_tables(source, "/* tables */", presets)
    return f"{_HEAD.format(source=named)}const ENTRIES = {json.dumps(entries, indent=4)};\n\n{written}"


def illustrated(page: str) -> str:
    """Fill ``page`` with the files it names between ``<!-- file: path -->`` and ``<!-- /file -->``."""
    return _SNIPPET.sub(lambda place: f"{place[1]}\n\n{_block(ROOT / place[2])}\n\n{place[3]}", page)


def _block(file: Path) -> str:
    kind = {".mjs": "js", ".jsx": "jsx"}.get(file.suffix, file.suffix.removeprefix("."))
    return f"```{kind}\n{file.read_text(encoding='utf-8').rstrip()}\n```"


def written(presets: Presets) -> dict[Path, str]:
    """Return every generated file and its content."""
    return {
        FOLDER / "tables.mjs": tables(presets),
        FOLDER / "edge.mjs": edge(presets),
        PAGE: illustrated(PAGE.read_text(encoding="utf-8")),
    }
