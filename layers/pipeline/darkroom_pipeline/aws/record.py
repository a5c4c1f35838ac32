"""The record of one key in the index, and its DynamoDB item.

:func:`to_item` and :func:`from_item` are the only places that know the names and the shape of attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

CLAIMED, READY, REFUSED, REMOVED, HELD = "claimed", "ready", "refused", "removed", "held"
"""States: in progress; served; refused (an earlier master, if any, stays served); deleted; held until a verdict or an
operator releases it (an earlier master, if any, stays served)."""

REVIEW, WAITING = "review", "waiting"
"""An attribute that only items in the review queue have, and its value: a sparse index holds these items alone."""

SEQUENCER_CHARACTERS = 64
"""S3's sequencers are hexadecimal and of no fixed length. To compare two, the shorter is padded on the right with
zeros (S3 user guide, "Event ordering and duplicate events")."""

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


def pad_sequencer(sequencer: str) -> str:
    """Pad ``sequencer`` so that string order is event order."""
    return sequencer.upper().ljust(SEQUENCER_CHARACTERS, "0")


def partition_key(key: str) -> str:
    """Return the partition key of the item about the image ``key``."""
    return f"image#{key}"


class _Part:
    """A part of a record. An instance with all defaults is false: the record has no such part."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self != type(self)()


@dataclass(frozen=True, slots=True)
class MasterRef(_Part):
    """A master in S3.

    ``sequencer`` is that of the event and ``version_id`` that of the upload that the master was made from. ``how`` is
    the method. ``master_sha256`` is the SHA-256 of the master's bytes in hexadecimal, ``rights`` the text of the
    rights in its metadata; both are empty in items of earlier versions.
    """

    etag: str = ""
    sequencer: str = ""
    version_id: str = ""
    content_type: str = ""
    size_bytes: int = 0
    how: str = ""
    master_sha256: str = ""
    rights: str = ""

    @property
    def bare_etag(self) -> str:
        """The ETag without quotes."""
        return self.etag.strip('"')


@dataclass(frozen=True, slots=True)
class Refusal(_Part):
    """Why an upload was refused. ``quarantined`` is its key in the quarantine bucket, empty if there is no copy."""

    code: str = ""
    reason: str = ""
    trace_id: str = ""
    sha256: str = ""
    quarantined: str = ""


@dataclass(frozen=True, slots=True)
class HeldUpload(_Part):
    """An upload that waits for moderation. ``master`` is the object below ``held/``.

    ``flagged``: a model or an operator decided that it must not be served. ``reviewed``: an operator confirmed that.
    """

    sha256: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    master: MasterRef = MasterRef()
    flagged: bool = False
    reviewed: bool = False


@dataclass(frozen=True, slots=True)
class LargeImageRef(_Part):
    """A large image that the state machine processes.

    ``token`` is that of the attempt that started it, ``tries`` the number of executions so far.
    """

    id: str = ""
    token: str = ""
    tries: int = 0
    sha256: str = ""
    version_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one key.

    ``sequencer`` (padded) is that of the newest claimed event, ``token`` names the attempt that claimed it,
    ``lease_until_s`` (Unix time) is the end of its lease. ``facts`` and ``provenance`` are JSON documents about the
    image, which events and the upload API return as they are. ``derivatives`` are names below ``derivatives/``.
    ``released``: an operator released these bytes, whatever a model reports. ``urgent``: the upload is.
    ``same_as`` is the key that the master was copied from. ``expires_at_s`` is DynamoDB's time to live, 0 for never.
    """

    key: str
    state: str
    sequencer: str
    token: str = ""
    lease_until_s: int = 0
    image_id: str = ""
    announced: bool = False
    sha256: str = ""
    version_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    master: MasterRef = MasterRef()
    derivatives: tuple[str, ...] = ()
    refusal: Refusal = Refusal()
    held: HeldUpload = HeldUpload()
    released: bool = False
    urgent: bool = False
    same_as: str = ""
    large_image: LargeImageRef = LargeImageRef()
    updated_at: str = ""
    expires_at_s: int = 0

    @property
    def done(self) -> bool:
        """Whether no attempt is in progress."""
        return self.state != CLAIMED

    @property
    def awaits_review(self) -> bool:
        """Whether the held upload is flagged and no operator has decided yet."""
        return self.state == HELD and self.held.flagged and not self.held.reviewed


REVIEW_STEPS = ("", "held", "flagged", "released")
"""Steps of moderation of one upload, in order: each has an event and an id of its own."""


def build_image_id(key: str, sequencer: str, version_id: str, step: str = "") -> str:
    """Build the id of the result of one event for one version, the same at each repeat. 32 hexadecimal digits.

    ``version_id`` is part of it because an event that is repeated may find a newer upload than the first time. ``step``
    is one of :data:`REVIEW_STEPS`.
    """
    parts = (key, sequencer, version_id, step) if step else (key, sequencer, version_id)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def with_image_id(record: Record) -> Record:
    """Return ``record`` with its id."""
    image_id = build_image_id(record.key, record.sequencer, record.version_id, _get_review_step(record))
    return replace(record, image_id=image_id)


def was_finished(record: Record) -> bool:
    """Whether the event of ``record``, which is claimed, was completed once: then it has its id."""
    named = (record.key, record.sequencer, record.version_id)
    return record.image_id in {build_image_id(*named, step) for step in REVIEW_STEPS}


def _get_review_step(record: Record) -> str:
    if record.state == HELD:
        return "flagged" if record.held.flagged else "held"
    return "released" if record.state == READY and record.released else ""


_ATTRIBUTES = {"large_image": "scene"}
"""Attributes whose name is not that of the field."""

_OPTIONAL = frozenset({"master_sha256", "rights", "reviewed"})
"""Fields of parts that are left out where they are empty. Items of earlier versions lack them."""

_PARTS: dict[str, type[_Part]] = {
    "master": MasterRef,
    "refusal": Refusal,
    "held": HeldUpload,
    "large_image": LargeImageRef,
}


def to_item(record: Record) -> dict[str, Any]:
    """Convert ``record`` to its item. Empty fields are left out: an index key may not be an empty string."""
    values = {
        one.name: _part_to_map(value) if isinstance(value, _Part) else value
        for one in fields(Record)
        if (value := getattr(record, one.name))
    }
    if record.awaits_review:
        values[REVIEW] = WAITING
    return {"pk": {"S": partition_key(record.key)}} | {
        _ATTRIBUTES.get(name, name): _serializer.serialize(to_decimals(value)) for name, value in values.items()
    }


def from_item(item: Mapping[str, Any]) -> Record:
    """Convert an item of this or an earlier version to its record."""
    values: dict[str, Any] = {"state": "", "sequencer": ""}
    for one in fields(Record):
        attribute = _ATTRIBUTES.get(one.name, one.name)
        if attribute in item:
            value = from_decimals(_deserializer.deserialize(item[attribute]))
            values[one.name] = _part_from_map(_PARTS[one.name], value) if one.name in _PARTS else value
    values["derivatives"] = tuple(values.get("derivatives", ()))
    return Record(**values)


def _part_to_map(part: _Part) -> dict[str, Any]:
    values = asdict(part)  # type: ignore[call-overload]
    if isinstance(part, HeldUpload):
        values["master"] = _part_to_map(part.master)
    return {name: value for name, value in values.items() if value or name not in _OPTIONAL}


def _part_from_map(kind: type[_Part], values: Mapping[str, Any]) -> _Part:
    known = {one.name: values[one.name] for one in fields(kind) if one.name in values}  # type: ignore[arg-type]
    if kind is HeldUpload and "master" in known:
        known["master"] = _part_from_map(MasterRef, known["master"])
    return kind(**known)


def to_decimals(value: Any) -> Any:
    """Convert floats to decimals, DynamoDB's only kind of number."""
    match value:
        case float():
            return Decimal(repr(value))
        case dict():
            return {name: to_decimals(part) for name, part in value.items()}
        case list() | tuple():
            return [to_decimals(part) for part in value]
    return value


def from_decimals(value: Any) -> Any:
    """Convert decimals to numbers. Whole numbers become ``int``."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: from_decimals(part) for name, part in value.items()}
        case list():
            return [from_decimals(part) for part in value]
    return value
