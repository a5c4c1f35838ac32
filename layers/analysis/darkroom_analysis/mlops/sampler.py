"""Record samples of analysed images for drift checks and canary decisions, without ever failing the analysis."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.aws.telemetry import Observer
from darkroom.errors import DarkroomError
from darkroom.findings import SIMILARITY
from darkroom_pipeline.services.masters import CurrentMaster, Masters

from ..inference.merge import lowest_source
from ..inference.predictions import Prediction
from .sample import SAMPLED, Sample, ShadowComparison, quantise, summarise
from .sample_store import SampleStore

LOG_EVERY_S = 60.0
"""Shortest time between two log lines about samples of one process: the debug dashboard shows some images, not all."""


@dataclass
class SampleRecorder:
    """The recorder that the analysis service requires. A sample that cannot be written is counted (``SamplesLost``)."""

    store: SampleStore
    masters: Masters
    observer: Observer
    clock: Callable[[], float] = time.time
    _next_line_s: float = 0.0

    def record(
        self, master: CurrentMaster, facts: Mapping[str, Any], jpeg: bytes, prediction: Prediction[ShadowComparison]
    ) -> None:
        """Store a sample of ``jpeg``, rendered from ``master``; ``facts`` are those of the index."""
        from darkroom_pipeline.imaging.views import mean_luma

        result = prediction.result
        embedding = result.found.get(SIMILARITY)
        try:
            sample = Sample(
                master.key,
                master.etag,
                self.clock(),
                str(facts.get("format", "")),
                int(facts.get("width", 0)) * int(facts.get("height", 0)),
                mean_luma(jpeg),
                {task: summarise(finding) for task, finding in result.found.items()},
                lowest_source(result.found),
                result.variant,
                quantise(embedding.vector) if embedding is not None else b"",
                prediction.comparison,
            )
            self._withdraw_if_deleted(master, self.store.put(sample))
            self._log(sample)
        except DarkroomError as error:
            self.observer.log("WARNING", "sample not recorded", code=error.code, detail=error.detail)
            self.observer.count("SamplesLost")

    def delete(self, key: str) -> int:
        """Delete all samples of ``key``; return their number. Raises Unavailable."""
        return self.store.delete(key)

    def _log(self, sample: Sample) -> None:
        """Log ``sample``, without embedding, unless another one was logged just before."""
        if sample.at_s >= self._next_line_s:
            self._next_line_s = sample.at_s + LOG_EVERY_S
            self.observer.log("INFO", SAMPLED, **sample.describe())

    def _withdraw_if_deleted(self, master: CurrentMaster, slot: int) -> None:
        """Delete the sample if the master is gone: erasure reads the slots after deleting it, so one side sees it."""
        if self.masters.find_current(master.key) is None:
            self.store.withdraw(slot, master.key)
