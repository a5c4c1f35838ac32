"""Publish the drift from the baseline, and an event with manifests for retraining if it is too large.

The age of the last complete run is published first: a check that fails publishes no drift, but its age grows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from darkroom.aws.telemetry import Observer
from darkroom_pipeline.aws.audit import DECISION, AuditLog
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.s3 import S3Bucket

from .drift import MIN_SAMPLES, Baseline, Drift, compare, largest_psi
from .manifests import Manifests
from .sample import Sample
from .sample_store import SampleStore

BASELINE = "watch/baseline.json"
"""The object in the media bucket."""

LAST_RUN = "watch/drift-run.json"
"""The object in the media bucket with the time of the last complete run."""

STORE_EVERY_S = 3600.0
"""Age of the stored time from which a complete run replaces it, so that not every run writes."""

RECENT_S = 86_400.0
"""Span of the compared samples: a whole day, so that the time of day is not drift."""

MAX_PSI = 0.2
"""Drift above it is significant (N. Siddiqi, Credit Risk Scorecards, 2006: "significant shift")."""

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class BaselineReset:
    """Replaces the baseline by the current samples, on request or if there is none."""

    media: S3Bucket
    samples: SampleStore
    audit: AuditLog

    def run(self, now_s: float) -> Mapping[str, object]:
        """Replace the baseline if there are enough samples."""
        samples = self.samples.recent()
        if len(samples) < MIN_SAMPLES:
            return {"samples": len(samples), "wanted": MIN_SAMPLES}
        made = self.create(samples, now_s, "request")
        return {"n": made.n, "made_at": made.made_at}

    def read(self) -> Baseline | None:
        """Return the stored baseline, None without one. Raises ValueError if it is invalid."""
        stored = self.media.read(BASELINE)
        return None if stored is None else Baseline.from_document(json.loads(stored))

    def create(self, samples: Sequence[Sample], now_s: float, why: str) -> Baseline:
        """Store the baseline of ``samples``, with ``why`` in the audit log."""
        baseline = Baseline.build(samples, _iso(now_s))
        self.media.put(BASELINE, json.dumps(baseline.to_document()).encode(), headers=JSON, metadata={})
        self.audit.write(DECISION, "baseline", "monitor", n=baseline.n, models_of=baseline.by, why=why)
        return baseline


@dataclass(frozen=True)
class DriftCheck:
    """The first baseline is created from ``baseline_samples`` samples."""

    baselines: BaselineReset
    manifests: Manifests
    bus: EventBus
    observer: Observer
    baseline_samples: int

    def run(self, now_s: float) -> Mapping[str, object]:
        """Publish the age of the last run and the drift of each feature; if it is too large, an event once a day."""
        completed_s = self._read_last_run(now_s)
        self.observer.count("DriftAge", now_s - completed_s, "Seconds")
        self.observer.flush()
        found = self._compare(now_s)
        if now_s - completed_s >= STORE_EVERY_S:
            self._store_last_run(now_s)
        return found

    def _read_last_run(self, now_s: float) -> float:
        """Return the time of the last complete run. Without a valid one, the age counts from now."""
        stored = self.baselines.media.read(LAST_RUN)
        if stored is not None:
            try:
                return float(json.loads(stored)["completed_s"])
            except (ValueError, KeyError, TypeError) as error:
                self.observer.log("WARNING", "time of the last drift check unreadable", cause=repr(error))
        self._store_last_run(now_s)
        return now_s

    def _store_last_run(self, now_s: float) -> None:
        self.baselines.media.put(LAST_RUN, json.dumps({"completed_s": now_s}).encode(), headers=JSON, metadata={})

    def _compare(self, now_s: float) -> Mapping[str, object]:
        baseline = self.baselines.read()
        samples = self.baselines.samples.recent(since_s=0.0 if baseline is None else now_s - RECENT_S)
        if baseline is None:
            if len(samples) >= self.baseline_samples:
                self.baselines.create(samples, now_s, "the first")
            return {"samples": len(samples), "wanted": self.baseline_samples}
        drifts = {name: drift for name, drift in compare(baseline, samples).items() if drift is not None}
        self._publish(drifts)
        found = {name: _document(drift) for name, drift in drifts.items()}
        if (largest_psi(drifts) or 0.0) <= MAX_PSI:
            return {"samples": len(samples), "drift": found}
        return {"samples": len(samples), "drift": found, "manifest": self._announce(samples, drifts, now_s)}

    def _publish(self, drifts: Mapping[str, Drift]) -> None:
        for feature, drift in drifts.items():
            self.observer.count("DriftPsi", drift.psi, "None", feature=feature)
            if drift.ks is not None:
                self.observer.count("DriftKs", drift.ks, "None", feature=feature)
        if (largest := largest_psi(drifts)) is not None:
            self.observer.count("DriftPsi", largest, "None")

    def _announce(self, samples: Sequence[Sample], drifts: Mapping[str, Drift], now_s: float) -> str:
        """Write the manifests of the day and publish the event, once; return the folder. A marker is written last."""
        day = datetime.fromtimestamp(now_s, UTC).date()
        folder = self.manifests.folder(day)
        announced = f"{folder}drift.json"
        media = self.baselines.media
        if media.head(announced) is not None:
            return folder
        counts = self.manifests.write(day, samples, now_s)
        detail = {
            "id": sha256(f"drift\n{media.bucket}\n{day.isoformat()}".encode()).hexdigest()[:32],
            "at": _iso(now_s),
            "features": {name: _document(drift) for name, drift in drifts.items()},
            "limit": MAX_PSI,
            "manifest": {
                "train": f"s3://{media.bucket}/{folder}train.manifest",
                "test": f"s3://{media.bucket}/{folder}test.manifest",
                "pictures": counts,
            },
        }
        self.bus.publish("DriftFound", detail)
        media.put(announced, json.dumps(detail).encode(), headers=JSON, metadata={})
        return folder


def _document(drift: Drift) -> dict[str, object]:
    return {"psi": round(drift.psi, 4), "ks": None if drift.ks is None else round(drift.ks, 4), "n": drift.n}


def _iso(now_s: float) -> str:
    return datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
