"""Events of the library function: one of three steps of a bulk job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from darkroom.errors import BadRun

BATCH_SIZE, MAX_BATCH_SIZE = 25, 100
"""Keys per batch, which share one state transition and one invocation."""

TOLERATED_PERCENT = 5.0
"""Default percentage of failed batches from which a job is stopped."""


class Action(StrEnum):
    """``LIST`` the keys, ``WORK`` on a batch, ``REPORT`` the results."""

    LIST = "list"
    WORK = "work"
    REPORT = "report"


class Operation(StrEnum):
    """``INGEST`` ingests uploads, ``INFER`` analyses masters, ``PRESETS`` renders the presets again."""

    INGEST = "ingest"
    INFER = "infer"
    PRESETS = "presets"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The specification of a bulk job. Names of fields are those of the stored document.

    ``prefix`` limits the keys. ``inventory`` is the ``s3://`` URL of an S3 Inventory manifest, ``keys`` that of a list
    with one key per line; either replaces the listing of the bucket. For ingest, ``source`` is the bucket to copy from,
    and ``into`` the prefix of the copies. ``again``: process finished keys too.
    """

    operation: Operation
    prefix: str = ""
    inventory: str = ""
    keys: str = ""
    source: str = ""
    into: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """``concurrency``, ``tolerated_percent`` and ``batch`` are for LIST, ``number`` and ``keys`` for WORK."""

    action: Action
    job: str
    spec: JobSpec
    concurrency: int = 0
    tolerated_percent: float = TOLERATED_PERCENT
    batch_size: int = BATCH_SIZE
    number: str = ""
    keys: tuple[str, ...] = ()
    stopped: str = ""


def parse_request(event: Mapping[str, Any]) -> BulkRequest:
    """Parse ``event``. Raises BadRun."""
    spec = event.get("order") or {}
    return BulkRequest(
        _one_of(Action, event, "action"),
        _text(event, "run"),
        parse_spec(spec),
        int(_number(event, "concurrency", 0, 0, 10_000)),
        _number(event, "tolerated", TOLERATED_PERCENT, 0, 100),
        int(_number(event, "batch", BATCH_SIZE, 1, MAX_BATCH_SIZE))
        if event.get("action") == Action.LIST
        else BATCH_SIZE,
        str(event.get("number", "")),
        tuple(map(str, event.get("keys", ()))),
        str((event.get("stopped") or {}).get("Error", "")),
    )


def parse_spec(spec: Mapping[str, Any]) -> JobSpec:
    """Parse the document of a specification. Raises BadRun for an invalid or contradictory one."""
    unknown = spec.keys() - {"operation", *JobSpec.__dataclass_fields__}
    if unknown:
        raise BadRun(f"An order has no field {', '.join(sorted(unknown))}", field="order")
    operation = _one_of(Operation, spec, "operation")
    texts = {name: _text(spec, name, "") for name in ("prefix", "inventory", "keys", "source", "into")}
    if texts["inventory"] and texts["keys"]:
        raise BadRun("Keys come from an inventory or from a list, not from both", field="inventory")
    if (texts["source"] or texts["into"]) and operation is not Operation.INGEST:
        raise BadRun("Only ingest copies images from another bucket", field="source")
    if texts["into"] and not texts["source"]:
        raise BadRun("into requires a source", field="into")
    return JobSpec(operation, **texts, again=bool(spec.get("again", False)))


def spec_document(spec: JobSpec) -> dict[str, object]:
    """Return ``spec`` as a document for :func:`parse_spec`."""
    names = ("prefix", "inventory", "keys", "source", "into", "again")
    given = {name: value for name in names if (value := getattr(spec, name))}
    return {"operation": spec.operation.value, **given}


def _one_of[E: StrEnum](kind: type[E], event: Mapping[str, Any], name: str) -> E:
    try:
        return kind(event.get(name, ""))
    except ValueError:
        raise BadRun(f"{name} is one of {', '.join(kind)}", field=name) from None


def _text(event: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = event.get(name, default)
    if not isinstance(value, str):
        raise BadRun(f"{name} is a string", field=name)
    return value


def _number(event: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = event.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadRun(f"{name} is a number from {least} to {most}", field=name)
    return float(value)
