"""Samples of what models saw: written down for drift and canaries to be judged by, and never in the way of the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyvips

from ..aws.telemetry import Observer
from ..errors import DarkroomError
from ..findings import SIMILARITY, Finding
from ..services.inference.masters import CurrentMaster, Masters
from ..services.inference.merge import lowest_source
from .sample import Sample, ShadowComparison, quantise, summarise
from .sample_store import SampleStore

LUMA = [0.299, 0.587, 0.114]
"""Of ITU-R BT.601, as in JPEG."""

_SHRINK = 8
"""What a JPEG can be decoded smaller by, so that brightness costs a millisecond."""


@dataclass(frozen=True)
class SampleRecorder:
    """Writes samples. What cannot be written is counted (``SamplesLost``) and let go."""

    store: SampleStore
    masters: Masters
    observer: Observer
    clock: Callable[[], float] = time.time

    def record(
        self,
        present: CurrentMaster,
        facts: Mapping[str, Any],
        jpeg: bytes,
        found: Mapping[str, Finding],
        *,
        variant: str = "",
        trial: ShadowComparison | None = None,
    ) -> None:
        """Write down what was ``found`` by ``variant`` in ``jpeg``, made of ``present``; ``facts`` are the index's."""
        try:
            embedding = found.get(SIMILARITY)
            slot = self.store.put(
                Sample(
                    present.key,
                    present.etag,
                    self.clock(),
                    str(facts.get("format", "")),
                    int(facts.get("width", 0)) * int(facts.get("height", 0)),
                    brightness(jpeg),
                    {task: summarise(finding) for task, finding in found.items()},
                    lowest_source(found),
                    variant,
                    quantise(embedding.vector) if embedding is not None else b"",
                    trial,
                )
            )
            self._withdraw_if_gone(present, slot)
        except DarkroomError as error:
            self.observer.log("WARNING", "no sample was taken", code=error.code, detail=error.detail)
            self.observer.count("SamplesLost")

    def _withdraw_if_gone(self, present: CurrentMaster, slot: int) -> None:
        """Whoever forgets a key reads the slots after its master has gone: one of both sees the other."""
        now = self.masters.find_current(present.key)
        if now is None:
            self.store.withdraw(slot, present.key)


def brightness(jpeg: bytes) -> float:
    """The mean luma of a JPEG of our own making, from 0 to 1; raises DarkroomError if it is none."""
    try:
        image = pyvips.Image.jpegload_buffer(jpeg, shrink=_SHRINK).colourspace("srgb")
        return float(image.recomb([LUMA]).avg()) / 255
    except pyvips.Error as error:
        raise DarkroomError(detail=str(error)) from error
