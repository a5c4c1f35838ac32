"""What the index knows of one key, and how that is written in DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

CLAIMED, READY, REFUSED, REMOVED, HELD = "claimed", "ready", "refused", "removed", "held"
"""States: being worked on; served; not taken in (an earlier master, if any, goes on being served); deleted; not to be
served before a verdict or a person says so (an earlier master, if any, goes on being served)."""

REVIEW, WAITING = "review", "waiting"
"""An attribute that only items have which wait for a person: an index over it holds these alone."""

SEQUENCER_CHARACTERS = 64
"""S3's sequencers are hexadecimal and of no fixed length: to compare two, the shorter is filled up on the right with
zeros (S3 user guide, "Event ordering and duplicate events")."""

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


def pad_sequencer(sequencer: str) -> str:
    """``sequencer`` such that texts compare as sequencers do."""
    return sequencer.upper().ljust(SEQUENCER_CHARACTERS, "0")


def partition_key(key: str) -> str:
    """The partition key of the item about the picture ``key``."""
    return f"image#{key}"


@dataclass(frozen=True, slots=True)
class Record:
    """One item.

    ``sequencer`` (padded) is that of the newest event that was claimed, ``token`` names the attempt that claimed it,
    ``lease_until_s`` (Unix time) says how long nobody else may try. ``master`` has ``etag``, ``sequencer`` (of the
    event that made it), ``version_id`` (of the upload that it was made of), ``content_type``, ``size_bytes`` and
    ``how``; ``derivatives`` are names below ``derivatives/``.
    ``refusal`` has ``code``, ``reason``, ``trace_id``, ``sha256`` and ``quarantined``. ``held`` is the picture that
    waits: ``sha256``, ``facts``, ``provenance``, ``master`` (as above, of the object below ``held/``), ``flagged``, and
    ``reviewed`` once a person has confirmed that it is not to be served.
    ``released``: a person let these very bytes pass, whatever models say. ``same_as`` is the key that the master was
    copied from. ``scene`` is what is being cut in strips, while it is: ``id``, ``token`` (of the attempt that had it
    begun), ``tries``, ``sha256``, ``version_id``, ``facts``, ``provenance``. ``expires_at_s`` is for DynamoDB's time to
    live, 0 for never.
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
    master: Mapping[str, Any] = field(default_factory=dict)
    derivatives: tuple[str, ...] = ()
    refusal: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict)
    released: bool = False
    same_as: str = ""
    scene: Mapping[str, Any] = field(default_factory=dict)
    updated_at: str = ""
    expires_at_s: int = 0

    @property
    def done(self) -> bool:
        """Whether nobody works on it."""
        return self.state != CLAIMED

    @property
    def awaits_review(self) -> bool:
        """Whether a model has flagged what is held, and no person has looked at it yet."""
        return self.state == HELD and bool(self.held.get("flagged")) and not self.held.get("reviewed")


_NAMES = tuple(found.name for found in fields(Record))


def to_item(record: Record) -> dict[str, Any]:
    """The item of ``record``. What is empty is left out: an index key may not be an empty text."""
    values = {name: value for name, value in asdict(record).items() if value not in ("", 0, {}, (), False)}
    if record.awaits_review:
        values[REVIEW] = WAITING
    return {"pk": {"S": partition_key(record.key)}} | {
        name: _serializer.serialize(to_decimals(value)) for name, value in values.items()
    }


def from_item(item: Mapping[str, Any]) -> Record:
    """The record that an item holds."""
    values = {name: from_decimals(_deserializer.deserialize(item[name])) for name in _NAMES if name in item}
    values["derivatives"] = tuple(values.get("derivatives", ()))
    return Record(**{"state": "", "sequencer": "", **values})


def to_decimals(value: Any) -> Any:
    """DynamoDB has decimal numbers only."""
    match value:
        case float():
            return Decimal(repr(value))
        case dict():
            return {name: to_decimals(part) for name, part in value.items()}
        case list() | tuple():
            return [to_decimals(part) for part in value]
    return value


def from_decimals(value: Any) -> Any:
    """The opposite: whole numbers are of type int again."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: from_decimals(part) for name, part in value.items()}
        case list():
            return [from_decimals(part) for part in value]
    return value
