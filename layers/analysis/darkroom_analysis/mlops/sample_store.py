"""A bounded reservoir of samples in the index table: each sample overwrites a random slot.

The slots hold mostly recent images, and their number never grows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from darkroom_pipeline.aws.record import from_decimals, to_decimals
from darkroom_pipeline.aws.sample_slots import SLOTS, TRIAL_SLOTS, Item, SampleSlots

from .sample import Sample, parse_sample

RETENTION_S = 90 * 86_400
"""Time until a sample expires that no other one has overwritten."""

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


class SampleStore(SampleSlots):
    """The slots with what they contain. ``choose`` picks a random slot."""

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        slots: int = SLOTS,
        trial_slots: int = TRIAL_SLOTS,
        choose: Callable[[int], int] = random.randrange,
    ) -> None:
        super().__init__(client, table, slots=slots, trial_slots=trial_slots)
        self._choose = choose

    def put(self, sample: Sample) -> int:
        """Write ``sample`` into a slot; return its number."""
        slot = self._choose(self._slots) if sample.trial is None else self._slots + self._choose(self._trial_slots)
        document = sample.to_document() | {"expires_at_s": int(sample.at_s) + RETENTION_S}
        self._write(slot, {name: _serializer.serialize(to_decimals(value)) for name, value in document.items()})
        return slot

    def recent(self, *, since_s: float = 0.0) -> list[Sample]:
        """Return all samples since ``since_s`` (Unix time), in no order."""
        found = [parse_sample(_values(item)) for item in self._items()]
        return [sample for sample in found if sample.at_s >= since_s]


def _values(item: Item) -> dict[str, Any]:
    return {name: from_decimals(_deserializer.deserialize(value)) for name, value in item.items()}
