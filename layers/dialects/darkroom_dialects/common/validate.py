"""Validate option values produced by a dialect against our ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from darkroom.errors import BadOption, DarkroomError
from darkroom.image_keys import unquote
from darkroom.plan.canonical import build_plan, check_length
from darkroom.plan.model import AUTO_CLASSES, EXTENDED_FORMATS, Plan
from darkroom.plan.option_plugins import check_plugin_options
from darkroom.plan.option_types import FileName, OptionType, Value, split_parts
from darkroom.plan.options import OPTIONS_BY_SHORT, escape_text, make_bad_option
from darkroom.plan.redaction import check_first_page


def build_valid_plan(key: str, values: Mapping[str, Value]) -> Plan:
    """Build a Plan of ``values``, by short name. Raises BadOption with the allowed range."""
    plan = build_plan(key, {short: _validate(short, value) for short, value in values.items()})
    check_length(plan)
    check_first_page(plan)
    check_plugin_options(plan)
    return plan


def _validate(short: str, value: Value) -> Value:
    option = OPTIONS_BY_SHORT[short]
    if short == "f" and value in (*EXTENDED_FORMATS, *AUTO_CLASSES):
        return value
    spelled = str(value) if isinstance(option.type, FileName) else option.type.format(value)
    try:
        return option.type.parse(_split(option.type, spelled))
    except ValueError as error:
        raise make_bad_option(option, ",".join(_split(option.type, spelled))) from error


def _split(kind: OptionType, spelled: str) -> list[str]:
    return [spelled] if isinstance(kind, FileName) else split_parts(spelled)


def bad_option(option: str, text: str) -> BadOption:
    """Return the error for a value of ``option``. ``text`` says what is allowed, or why the value is not supported."""
    return BadOption(f"{option}: {text}", option=option)


def bad_value(option: str, text: str, expected: str) -> BadOption:
    """Return the error for ``text`` as a value of ``option``."""
    return bad_option(option, f"must be {expected}, but is '{escape_text(text)}'")


def require_word(option: str, text: str, words: Iterable[str]) -> str:
    """Return ``text`` if it is one of ``words``. Raises BadOption."""
    if text not in (allowed := tuple(words)):
        raise bad_value(option, text, f"one of {', '.join(allowed)}")
    return text


class PlanValues:
    """Options of which some can be set only once. ``values`` has those that map one to one, by our short name."""

    __slots__ = ()
    values: dict[str, Value]

    def set_once(self, name: str, **values: Value) -> None:
        """Set ``values`` for option ``name``. Raises BadOption if one of them already has another value."""
        for short, value in values.items():
            if self.values.setdefault(short, value) != value:
                raise bad_option(name, f"{short} can be set only once per image")


BAD_PATH = "The path is not percent-encoded UTF-8"


def decode_text(text: str, make_error: Callable[..., DarkroomError], message: str) -> str:
    """Decode percent-escapes. Raises the error that ``make_error`` returns for ``message`` unless they are UTF-8."""
    try:
        return unquote(text)
    except ValueError as error:  # and UnicodeError, which is one
        raise make_error(message, detail=str(error)) from error
