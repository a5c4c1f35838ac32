"""The tables of darkroom.plan as JavaScript: everything the edge function would otherwise write a second time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from darkroom.errors import SourceMissing, refusals
from darkroom.plan.canonical import MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES, options_text
from darkroom.plan.grammar.dit import COVERAGE
from darkroom.plan.keys import MAX_ENCODED_KEY_BYTES, MAX_KEY_BYTES
from darkroom.plan.model import (
    ANIMATED_FORMATS,
    AUTO_CLASSES,
    BORROWED_FORMATS,
    COMPASS,
    DATA_FORMATS,
    LOSSLESS_FORMATS,
)
from darkroom.plan.negotiation import CLASS_TYPES, LADDER_PX, SAVE_DATA_QUALITY, is_ladder
from darkroom.plan.normal import BARE_SIDE_PX, plan_of
from darkroom.plan.options import BY_NAME, MAX_SIDE_PX, OPTIONS, Option
from darkroom.plan.policy import UNSIGNED_SET, unsigned_requests
from darkroom.plan.presets import Presets
from darkroom.plan.redaction import FIRST_GENERATION
from darkroom.services.languages.table import DOCUMENT, DOCUMENT_TYPES, LANGUAGES, LARGE_PREFIX, Language

OPTION_FIELDS = frozenset({"short", "long", "expects", "read", "unset"})
"""The properties of an option in kinds.js."""

_REFUSALS = (
    "bad-key",
    "bad-option",
    "unknown-option",
    "duplicate-option",
    "unsigned",
    "expired",
    "method-not-allowed",
    "internal",
)
QUERY = "query"
"""The group of options that AWS's language, the one with a query, reads there."""

_SHARED = {"COMPASS": list(COMPASS)}
"""What several options hold is written once."""


class Code(str):
    """JavaScript that is written as it is."""

    __slots__ = ()


def with_tables(source: str, mark: str, presets: Presets) -> str:
    """``source`` of the edge function with its tables; see ``filled``."""
    return filled(source, mark, _tables(presets))


def with_languages(source: str, mark: str) -> str:
    """``source`` of the languages' function with its tables; see ``filled``."""
    return filled(source, mark, _languages())


def filled(source: str, mark: str, tables: Mapping[str, object]) -> str:
    """``source`` with the tables at ``mark``, or where they are read if that is one place or they are short."""
    declared = []
    for name, value in tables.items():
        pieces = re.split(rf"\b{name}\b", source)
        if isinstance(value, str | int) or len(pieces) == 2:
            source = _literal(value).join(pieces)
        else:
            declared.append(f"const {name} = {_literal(value)};")
    written = "\n".join(declared)
    used = (name for name in _SHARED if re.search(rf"\b{name}\b", source + written))
    shared = [f"const {name} = {_plain(_SHARED[name])};" for name in used]
    return source.replace(mark, "\n".join([*shared, *declared]))


def _tables(presets: Presets) -> dict[str, object]:
    errors = refusals()
    ladder = ", ".join(map(str, LADDER_PX))
    unsigned = (plan for plan in unsigned_requests("", presets) if not is_ladder(plan))
    return {
        "OPTIONS": [_option(option) for option in OPTIONS],
        "APART": [option.short for option in OPTIONS if not option.plan_field],
        "PRESETS": {
            name: {short: BY_NAME[short].kind.write(value) for short, value in presets.values(name).items()}
            for name in presets.options
        },
        "ERRORS": {code: [errors[code].status, errors[code].title] for code in _REFUSALS},
        "LADDER": list(LADDER_PX),
        "UNSIGNED": sorted(f"{options_text(plan)}.{plan.format}" for plan in unsigned),
        "UNSIGNED_HELP": Code(_plain(UNSIGNED_SET).replace(ladder, "'+LADDER.join(', ')+'")),
        "CLASSES": _classes(),
        "SAVING_QUALITY": str(SAVE_DATA_QUALITY),
        "BARE_SIDE": str(BARE_SIDE_PX),
        "BARE_TEXT": options_text(plan_of("", {})),
        "MAX_SIDE": MAX_SIDE_PX,
        "FIRST_GENERATION": FIRST_GENERATION,
        "MAX_KEY_BYTES": MAX_KEY_BYTES,
        "MAX_ENCODED_KEY_BYTES": MAX_ENCODED_KEY_BYTES,
        "MAX_OPTIONS_BYTES": MAX_OPTIONS_BYTES,
        "MAX_REQUEST_BYTES": MAX_REQUEST_BYTES,
        "DATA_FORMATS": list(DATA_FORMATS),
        "LOSSLESS_FORMATS": sorted(LOSSLESS_FORMATS - set(BORROWED_FORMATS)),
        "ANIMATED_FORMATS": sorted(ANIMATED_FORMATS - set(AUTO_CLASSES)),
    }


def _languages() -> dict[str, object]:
    # Engines need no words for yes and no.
    rows = [[one.name, one.prefix, _parameters(one), int(one.names_host)] for one in LANGUAGES]
    return {
        "LANGUAGES": rows,
        "LARGE_PREFIX": LARGE_PREFIX,
        "DOCUMENT": DOCUMENT,
        "DOCUMENT_TYPES": list(DOCUMENT_TYPES),
        "NO_SOURCE": SourceMissing.title,
        "CLASSES": _classes(),
        "FIRST_GENERATION": FIRST_GENERATION,
    }


def _parameters(language: Language) -> list[str]:
    """The query parameters that ``language`` reads."""
    read = (option for option in COVERAGE if option.group == QUERY) if language.has_query else ()
    return sorted(name for option in read for name in option.names)


def _classes() -> list[object]:
    return [[name, list(types)] for name, types in reversed(CLASS_TYPES)]


def _option(option: Option) -> Code:
    """An option as kinds.js declares it: its two names, its kind and its default."""
    kind = option.kind
    parts: list[object] = [
        option.short,
        option.long if option.long != option.short else 0,
        Code(f"{kind.name}({_joined(rule for rule in kind.rule().values() if rule != {})})"),
        None if option.default is None else kind.write(option.default),
    ]
    while parts[-1] is None:
        parts.pop()
    return Code(f"option({_joined(parts)})")


def _literal(value: object) -> str:
    """``value`` in JavaScript, by name where it is shared."""
    for name, shared in _SHARED.items():
        if value == shared:
            return name
        if isinstance(value, list) and isinstance(shared, list) and value[: len(shared)] == shared:
            return f"{name}.concat([{_joined(value[len(shared) :])}])"
    return _plain(value)


def _plain(value: object) -> str:
    match value:
        case Code():
            return value
        case None:
            return "undefined"
        case dict():
            return "{" + ",".join(f"{_key(key)}:{_literal(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{_joined(value)}]"
        case str() if "'" not in value:
            return "'" + json.dumps(value)[1:-1].replace('\\"', '"') + "'"
        case _:
            return json.dumps(value)


def _key(name: str) -> str:
    """A key of data, quoted where it could be taken for a property of the code's own or is no identifier."""
    is_plain = re.fullmatch("[a-z][a-z0-9]*", name) and name not in OPTION_FIELDS
    return name if is_plain else _plain(name)


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(_literal, values))
