"""Convert tables of darkroom.plan and darkroom_dialects to JavaScript for the edge functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from darkroom.errors import SourceMissing
from darkroom.http.response import TOO_LARGE_STATUS
from darkroom.image_keys import LARGE_PREFIX, MAX_ENCODED_KEY_BYTES, MAX_KEY_BYTES
from darkroom.plan.canonical import DEFAULT_MAX_SIDE_PX, MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES, build_plan, options_text
from darkroom.plan.experiments import BEACON, HASH_MODULUS, VISITOR
from darkroom.plan.model import (
    ANIMATED_FORMATS,
    AUTO_CLASSES,
    COMPASS_POINTS,
    DATA_FORMATS,
    EXTENDED_FORMATS,
    GRAVITY_TASKS,
    LOSSLESS_FORMATS,
)
from darkroom.plan.option_types import FixedPoint, Flag, Integer, JsArgs, Pattern, format_hundredths
from darkroom.plan.options import MAX_SIDE_PX, NATIVE_OPTIONS, OPTIONS_BY_NAME, Option
from darkroom.plan.presets import Presets
from darkroom.plan.redaction import FIRST_GENERATION
from darkroom.plan.variants import CLASS_TYPES, LADDER_PX, SAVE_DATA_QUALITY, AccessMode
from darkroom.settings import DEFAULTS
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import (
    DIALECTS,
    DOCUMENT_SUFFIX,
    DOCUMENT_TYPES,
    IIIF,
    IIIF_2_PREFIX,
    IIIF_2_SUFFIX,
    Dialect,
)
from darkroom_pipeline.plan.edge_settings import (
    FUNCTION_FIRST,
    KEYS_KEY,
    PRESET_PREFIX,
    build_edge_entries,
    format_settings,
)

STATE_FIELDS = frozenset(
    {
        "viewer",
        "query",
        "key",
        "start",
        "values",
        "next",
        "isFresh",
        "settings",
        "isAllowed",
        "text",
        "hidden",
        "variant",
        "larger",
        "refusal",
        "marks",
        "position",
    }
)
"""The properties of the state of handler.js, and of a row of the option table in kinds.js."""

_LETTERS = {
    "whole": "w",
    "fixed": "x",
    "choice": "c",
    "colour": "r",
    "gravity": "G",
    "crop": "K",
    "padding": "P",
    "watermark": "M",
    "fileName": "n",
    "redaction": "D",
}
"""Letters of option types in kinds.js, capitals for several values. Each option of the type word has its own."""

_WORDS = {"preset": "a", "s": "s"}

QUERY_GROUPS = "query"
"""Begins the names of the option groups that a parser reads from the query."""

_LONG = 60
"""Texts from this length on are declared once, not repeated."""

USUAL_WIDTH_PX = 1280
"""The width of ``w=auto`` without a hint: browsers other than Chromium send none."""

_SEPARATORS = frozenset(";|=")
"""Separators of rows, fields and names in the option table."""


WORD, DIGIT = r"\w", r"\d"
"""Classes of ASCII characters in JavaScript's patterns; in Python's they have those of Unicode."""


class Code(str):
    """JavaScript that is not quoted."""

    __slots__ = ()


def insert_tables(source: str, mark: str, presets: Presets) -> str:
    """Return ``source`` of the edge function with its tables. See :func:`fill_tables`."""
    return fill_tables(source, mark, _tables(presets))


def insert_dialect_tables(source: str, mark: str) -> str:
    """Return ``source`` of the function for dialects with its tables. See :func:`fill_tables`."""
    return fill_tables(source, mark, _dialect_tables())


def fill_tables(source: str, mark: str, tables: Mapping[str, object]) -> str:
    """Return ``source`` with the tables at ``mark``, or inline if they are short or used once."""
    declared = []
    for name, value in tables.items():
        pieces = re.split(rf"\b{name}\b", source)
        if len(pieces) == 2 or (isinstance(value, str | int) and len(str(value)) < _LONG):
            source = _plain(value).join(pieces)
        else:
            declared.append(f"const {name} = {_plain(value)};")
    return source.replace(mark, "\n".join(declared))


def _tables(presets: Presets) -> dict[str, object]:
    entries = build_edge_entries(AccessMode.GUARDED, "", presets)
    bare = build_plan("", {})
    return {
        "OPTIONS": f";{';'.join(map(_row, NATIVE_OPTIONS))};",
        "PRESET_NAME": _pattern("preset"),
        "SIGNATURE": _pattern("s"),
        "APART": Code(_joined(option.short for option in NATIVE_OPTIONS if not option.plan_field)),
        "DEFAULT_SETTINGS": format_settings(DEFAULTS.access_mode, DEFAULTS.forced.text, DEFAULTS.metadata),
        "FALLBACK": {f"_{name}": _shorten(json.loads(entries[PRESET_PREFIX + name])) for name in presets.options},
        "LADDER": list(LADDER_PX),
        "WIDEST": LADDER_PX[-1],
        "USUAL_WIDTH": USUAL_WIDTH_PX,
        **_negotiation(),
        "SAVING_QUALITY": str(SAVE_DATA_QUALITY),
        "BARE_SIDE": str(DEFAULT_MAX_SIDE_PX),
        "BARE_TEXT": f"{options_text(bare)}.",
        "MAX_SIDE": MAX_SIDE_PX,
        "FOLLOWING": Code(f"/^({'|'.join(GRAVITY_TASKS)})/"),
        "VISITOR": Code(f"/^{VISITOR.pattern}$(?!\\n)/"),
        "BEACON": BEACON,
        "HASH_MODULUS": HASH_MODULUS,
        "FIRST_GENERATION": FIRST_GENERATION,
        "FUNCTION_FIRST": FUNCTION_FIRST,
        "TOO_LARGE": TOO_LARGE_STATUS,
        "KEYS": KEYS_KEY,
        "MAX_KEY_BYTES": MAX_KEY_BYTES,
        "MAX_ENCODED_KEY_BYTES": MAX_ENCODED_KEY_BYTES,
        "MAX_OPTIONS_BYTES": MAX_OPTIONS_BYTES,
        "MAX_REQUEST_BYTES": MAX_REQUEST_BYTES,
        "DATA_FORMATS": " ".join(DATA_FORMATS),  # no name of a format is a part of another one in these texts
        "LOSSLESS_FORMATS": " ".join(sorted(LOSSLESS_FORMATS - set(EXTENDED_FORMATS))),
        "ANIMATED_FORMATS": " ".join(sorted(ANIMATED_FORMATS - set(AUTO_CLASSES))),
    }


def _shorten(values: Mapping[str, str]) -> dict[str, object]:
    """Return ``values`` with numbers that need no quotes. "0" does: it is an option, and 0 is none."""
    return {name: Code(text) if re.fullmatch("[1-9][0-9]*", text) else text for name, text in values.items()}


def _dialect_tables() -> dict[str, object]:
    # Engines need no words for yes and no.
    rows = [
        [one.name, prefix, _parameters(one), int(one.names_host), _normalisation(one)]
        for one in DIALECTS
        for prefix in (one.prefix, *one.further_prefixes)
    ]
    return {
        "DIALECTS": rows,
        "HOST_PAIRS": ",".join(f"${{{one.host_parameter}}}={one.name}" for one in DIALECTS if one.host_parameter),
        "LARGE_PREFIX": LARGE_PREFIX,
        "DOCUMENT": DOCUMENT_SUFFIX,
        "IIIF": IIIF.prefix,
        "IIIF_2": IIIF_2_PREFIX,
        "IIIF_2_SUFFIX": IIIF_2_SUFFIX,
        "DOCUMENT_TYPES": list(DOCUMENT_TYPES),
        "NO_SOURCE": SourceMissing.title,
        **_negotiation(),
        "FIRST_GENERATION": FIRST_GENERATION,
    }


def _normalisation(dialect: Dialect) -> int:
    """Return how percent-encoding is normalised: 0 not at all, 1 unreserved characters, 2 all characters."""
    return 0 if dialect.signed else 2 if dialect.name == IIIF.name else 1


def _parameters(dialect: Dialect) -> list[str] | int:
    """Return the query parameters that the parser of ``dialect`` reads, without the fields after a dot.

    0 keeps the query as written.
    """
    if not dialect.has_query:
        return []
    if dialect.signs_query:
        return 0
    options = (option for option in load_parser(dialect).OPTION_MAPPINGS if option.group.startswith(QUERY_GROUPS))
    return sorted({name.partition(".")[0] for option in options for name in option.names})


def _negotiation() -> dict[str, object]:
    default = CLASS_TYPES[-1][0]
    pairs = [(name, kind) for name, types in CLASS_TYPES for kind in types]
    return {
        "TYPES": " ".join(kind for _, kind in pairs),
        "CLASSES": [name for name, _ in pairs if name != default],
        "DEFAULT_CLASS": default,
    }


def _row(option: Option) -> str:
    """Return the row of ``option`` in the table for kinds.js."""
    kind = option.type
    match kind:
        case Pattern():
            letter, taken = _WORDS[option.short], []
        case Flag():
            letter, taken = _LETTERS["whole"], ["1"]
        case Integer():
            letter, taken = _LETTERS["whole"], [str(kind.high), str(kind.low), kind.word]
        case FixedPoint():
            letter, taken = (
                _LETTERS["fixed"],
                [format_hundredths(kind.high), format_hundredths(kind.low), str(round(kind.step * 100))],
            )
        case _:
            letter, taken = _LETTERS[kind.name], list(_arguments(kind.js_args()))
    name = f"{option.short}={option.long if option.long != option.short else ''}"
    default = "" if option.default is None else kind.format(option.default)
    if any(_SEPARATORS & set(field) for field in (default, *taken)):
        raise ValueError(f"A separator of the option table is in {taken}")
    return "|".join([name, letter + default, *taken]).removesuffix("|").removesuffix("|0")


def _arguments(rule: JsArgs) -> Iterator[str]:
    """Yield the fields of an option type: one for a list of words, two for a synonym. Compass points are omitted."""
    compass = list(COMPASS_POINTS)
    for value in rule.values():
        match value:
            case dict():
                yield from chain.from_iterable(value.items())
            case list() if value[: len(compass)] == compass:
                yield from filter(None, [" ".join(value[len(compass) :])])
            case list():
                yield " ".join(value)
            case _:
                yield str(value)


def _pattern(name: str) -> Code:
    """Return the pattern of an option of the type word."""
    kind = OPTIONS_BY_NAME[name].type
    assert isinstance(kind, Pattern)
    assert "|" not in kind.pattern
    return Code(f"/^{kind.pattern.replace('A-Za-z0-9_', WORD).replace('0-9', DIGIT)}$(?!\\n)/")


def _plain(value: object) -> str:
    match value:
        case Code():
            return value
        case None:
            return "undefined"
        case dict():
            return "{" + ",".join(f"{_key(key)}:{_plain(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{_joined(value)}]"
        case str() if "'" not in value:
            return "'" + json.dumps(value)[1:-1].replace('\\"', '"') + "'"
        case _:
            return json.dumps(value)


def _key(name: str) -> str:
    """Return a key of data, quoted unless it is an identifier and no property of the code."""
    is_plain = re.fullmatch("[a-z_][a-z0-9]*", name) and name not in STATE_FIELDS
    return name if is_plain else _plain(name)


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(_plain, values))
