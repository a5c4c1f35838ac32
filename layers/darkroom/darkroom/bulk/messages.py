"""What the library function is asked for: one of three actions of a run, read from the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import BadRun

BATCH_SIZE, MAX_BATCH_SIZE = 25, 100
"""Keys of a batch: one transition of Step Functions and one start of a worker are shared by as many."""

TOLERATED_PERCENT = 5.0
"""Batches with a failed key from which a run is stopped, in percent, unless it says otherwise."""


class Action(StrEnum):
    """``LIST`` what there is, ``WORK`` on a batch, ``REPORT`` what became of all."""

    LIST = "list"
    WORK = "work"
    REPORT = "report"


class Operation(StrEnum):
    """What is done with each: ``INGEST`` takes uploads in, ``INFER`` has models look, ``PRESETS`` prints again."""

    INGEST = "ingest"
    INFER = "infer"
    PRESETS = "presets"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a run does with which keys.

    ``prefix`` limits the keys. ``inventory`` is the ``s3://`` address of an S3 Inventory manifest, ``keys`` that of a
    list with a key a line: either is read instead of a bucket. ``source``, for uploads, is the bucket that pictures are
    copied from, and ``into`` what comes before their keys then. ``again``: even what has been done.
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
    """The request in ``event``; raises BadRun for what is none."""
    order = event.get("order") or {}
    return BulkRequest(
        _one_of(Action, event, "action"),
        _text(event, "run"),
        parse_spec(order),
        int(_number(event, "concurrency", 0, 0, 10_000)),
        _number(event, "tolerated", TOLERATED_PERCENT, 0, 100),
        int(_number(event, "batch", BATCH_SIZE, 1, MAX_BATCH_SIZE))
        if event.get("action") == Action.LIST
        else BATCH_SIZE,
        str(event.get("number", "")),
        tuple(map(str, event.get("keys", ()))),
        str((event.get("stopped") or {}).get("Error", "")),
    )


def parse_spec(order: Mapping[str, Any]) -> JobSpec:
    """The order in a document; raises BadRun for what is none, or does two things at once."""
    unknown = order.keys() - {"operation", *JobSpec.__dataclass_fields__}
    if unknown:
        raise BadRun(f"An order has no {', '.join(sorted(unknown))}", field="order")
    doing = _one_of(Operation, order, "operation")
    texts = {name: _text(order, name, "") for name in ("prefix", "inventory", "keys", "source", "into")}
    if texts["inventory"] and texts["keys"]:
        raise BadRun("Keys come from an inventory or from a list, not from both", field="inventory")
    if (texts["source"] or texts["into"]) and doing is not Operation.INGEST:
        raise BadRun("Only ingest copies pictures from another bucket", field="source")
    if texts["into"] and not texts["source"]:
        raise BadRun("into is for pictures that are copied from a source", field="into")
    return JobSpec(doing, **texts, again=bool(order.get("again", False)))


def spec_document(order: JobSpec) -> dict[str, object]:
    """``order`` as a document that :func:`read_order` reads."""
    names = ("prefix", "inventory", "keys", "source", "into", "again")
    given = {name: value for name in names if (value := getattr(order, name))}
    return {"operation": order.operation.value, **given}


def _one_of[E: StrEnum](kind: type[E], event: Mapping[str, Any], name: str) -> E:
    try:
        return kind(event.get(name, ""))
    except ValueError:
        raise BadRun(f"{name} is one of {', '.join(kind)}", field=name) from None


def _text(event: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = event.get(name, default)
    if not isinstance(value, str):
        raise BadRun(f"{name} is a text", field=name)
    return value


def _number(event: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = event.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadRun(f"{name} is a number from {least} to {most}", field=name)
    return float(value)
