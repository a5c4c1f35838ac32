"""Values that a language has made up, held to the ranges that our own options have."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import BadOption
from ...plan.canonical import check_length
from ...plan.model import AUTO_CLASSES, BORROWED_FORMATS, Plan
from ...plan.normalize import plan_of
from ...plan.option_types import FileName, Kind, Value, split_parts
from ...plan.options import BY_SHORT, misread
from ...plan.redaction import check_first_page


def held_plan(key: str, values: Mapping[str, Value]) -> Plan:
    """The Plan of ``values``, by short name; raises BadOption that names what is beyond our range, and the range."""
    plan = plan_of(key, {short: _held(short, value) for short, value in values.items()})
    check_length(plan)
    check_first_page(plan)
    return plan


def _held(short: str, value: Value) -> Value:
    option = BY_SHORT[short]
    if short == "f" and value in (*BORROWED_FORMATS, *AUTO_CLASSES):
        return value
    spelled = str(value) if isinstance(option.kind, FileName) else option.kind.write(value)
    try:
        return option.kind.read(_parts(option.kind, spelled))
    except ValueError as error:
        raise misread(option, ",".join(_parts(option.kind, spelled))) from error


def _parts(kind: Kind, spelled: str) -> list[str]:
    return [spelled] if isinstance(kind, FileName) else split_parts(spelled)


def refused(option: str, text: str) -> BadOption:
    """The refusal of a value of ``option``; ``text`` says what it must be, or why there is no such value here."""
    return BadOption(f"{option}: {text}", option=option)
