"""Rules for the values of settings: what is allowed, and how a value of the document becomes that of a field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import BadKey
from .image_keys import check_key
from .plan.forced_options import MAX_FORCED_CHARACTERS, ForcedOptions
from .plan.model import DefaultQuality

if TYPE_CHECKING:
    from .further_sources import FurtherSource


@dataclass(frozen=True, slots=True)
class Rule:
    """The values that ``allows`` accepts, and ``convert`` turns into those of the field.

    ``allowed_values`` describes them in error messages and the documentation.
    """

    allowed_values: str
    allows: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value

    def parse(self, value: object) -> Any:
        """Convert a value of the document to that of the field; raises ValueError if it is not allowed."""
        if not self.allows(value):
            raise ValueError
        return self.convert(value)


FLAG = Rule("true or false", lambda value: isinstance(value, bool))


def flag_or(*words: str) -> Rule:
    """Allow true, false and ``words``."""
    allowed_values = f"true, {', '.join(('false', *words[:-1]))} or {words[-1]}"
    return Rule(allowed_values, lambda value: isinstance(value, bool) or value in words)


def between(low: int, high: int) -> Rule:
    """Allow whole numbers from ``low`` to ``high``."""
    return Rule(f"a whole number from {low} to {high}", lambda value: type(value) is int and low <= value <= high)


def one_of(words: tuple[str, ...]) -> Rule:
    """Allow one of ``words``."""
    return Rule("one of " + ", ".join(words), lambda value: value in words)


def matching(pattern: str, description: str) -> Rule:
    """Allow texts that match ``pattern`` completely."""
    return Rule(description, lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None)


def list_of(each: Rule, least: int, most: int) -> Rule:
    """Allow lists of ``least`` to ``most`` different texts that ``each`` allows."""

    def allows(value: object) -> bool:
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            return False
        return all(map(each.allows, value)) and len(set(value)) == len(value)

    return Rule(f"a list of {least} to {most} different values, each {each.allowed_values}", allows, tuple)


def qualities() -> Rule:
    """Allow tables of lossy formats and their qualities."""
    each = between(1, 100)

    def allows(value: object) -> bool:
        names = DefaultQuality._fields
        return isinstance(value, Mapping) and set(value) <= set(names) and all(map(each.allows, value.values()))

    allowed_values = f"a table of {', '.join(DefaultQuality._fields)}, each {each.allowed_values}"
    return Rule(allowed_values, allows, lambda value: DefaultQuality(**value))


def redactions(most: int) -> Rule:
    """Allow tables that map percent-encoded key prefixes to what is redacted below each."""

    def allows(value: object) -> bool:
        return isinstance(value, Mapping) and len(value) <= most and all(map(_is_redaction, value.items()))

    def convert(value: Mapping[str, str]) -> ForcedOptions:
        return ForcedOptions.from_tables(value, {})

    allowed_values = (
        f"a table of at most {most} percent-encoded key prefixes to values of the option redact, such as faces,plate; "
        f"their different words have at most {MAX_FORCED_CHARACTERS} characters together"
    )
    return Rule(allowed_values, allows, convert)


def watermarks(most: int) -> Rule:
    """Allow tables that map percent-encoded key prefixes to the watermark of each."""

    def allows(value: object) -> bool:
        return isinstance(value, Mapping) and len(value) <= most and all(map(_is_watermark, value.items()))

    def convert(value: Mapping[str, str]) -> ForcedOptions:
        return ForcedOptions.from_tables({}, value)

    allowed_values = (
        f"a table of at most {most} percent-encoded key prefixes to values of the option wm, such as logo,center,50"
    )
    return Rule(allowed_values, allows, convert)


def lists_by_prefix(each: Rule, most: int) -> Rule:
    """Allow tables that map key prefixes to lists that ``each`` allows; convert them, the longest prefix first."""

    def allows(value: object) -> bool:
        return isinstance(value, Mapping) and len(value) <= most and all(map(each.allows, value.values()))

    def convert(value: Mapping[str, Sequence[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        pairs = ((prefix, tuple(words)) for prefix, words in value.items())
        return tuple(sorted(pairs, key=lambda pair: (-len(pair[0]), pair[0])))

    return Rule(f"a table of at most {most} key prefixes to {each.allowed_values}", allows, convert)


def keys_by_prefix(most: int) -> Rule:
    """Allow tables that map key prefixes, the empty one included, to image keys; convert them, the longest first."""

    def allows(value: object) -> bool:
        return isinstance(value, Mapping) and len(value) <= most and all(map(_is_key, value.values()))

    def convert(value: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(value.items(), key=lambda pair: (-len(pair[0]), pair[0])))

    return Rule(f"a table of at most {most} key prefixes to keys of images", allows, convert)


def _is_key(value: object) -> bool:
    try:
        return isinstance(value, str) and check_key(value) == value
    except BadKey:
        return False


def experiments() -> Rule:
    """Allow tables of experiments."""

    # Imported when a document has one: transform reads settings, and needs no experiments.
    def allows(value: object) -> bool:
        from .plan.experiments import is_experiments_table

        return is_experiments_table(value)

    def convert(value: Mapping[str, Any]) -> Any:
        from .plan.experiments import parse_experiments

        return parse_experiments(value)

    allowed_values = (
        "a table of at most 20 names (a-z and 0-9, a letter first) to tables with `variants`, 2 to 5 presets with "
        "weights from 1 to 1000, and optionally `visitor`, `cookie:<name>` or `header:<name in lower case>`"
    )
    return Rule(allowed_values, allows, convert)


def _is_watermark(pair: tuple[str, object]) -> bool:
    prefix, mark = pair
    return isinstance(mark, str) and not {",", "=", ":"} & set(prefix)


def _is_redaction(pair: tuple[str, object]) -> bool:
    prefix, redact = pair
    return isinstance(redact, str) and "," not in prefix and ":" not in redact


def further_sources(most: int) -> Rule:
    """Allow tables that map key prefixes to sources of masters."""

    def convert(table: Mapping[str, Mapping[str, Any]]) -> tuple[FurtherSource, ...]:
        if not table:
            return ()
        from .further_sources import parse_sources  # few deployments have some

        return parse_sources(table)

    def allows(value: object) -> bool:
        return isinstance(value, Mapping) and len(value) <= most and bool(convert(value) or not value)

    allowed_values = (
        f"a table of at most {most} key prefixes that end in a slash, each with bucket (also prefix, region) or with "
        "origin, an https:// URL that ends in a slash (also hosts, max_age_s, requests_per_s)"
    )
    return Rule(allowed_values, allows, convert)


def tables_of(names: tuple[str, ...], description: str) -> Rule:
    """Allow a table of tables with ``names``, whose values their reader knows; convert it to JSON, "" if empty."""

    def allows(value: object) -> bool:
        return isinstance(value, Mapping) and all(
            name in names and isinstance(one, Mapping) for name, one in value.items()
        )

    return Rule(description, allows, lambda value: json.dumps(value, ensure_ascii=False) if value else "")
