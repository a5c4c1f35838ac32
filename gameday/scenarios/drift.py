"""Scenario: the distribution of uploads shifts to dark, tiny and other-format images."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from darkroom_pipeline.aws.sample_slots import SLOTS
from darkroom_pipeline.operations.cloudwatch import MetricStat

from .. import synthetic_samples
from ..environment import NAMESPACE
from ..images import SHIFTED, USUAL, draw_image
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

ALARM = "drift"
LIMIT = 0.2
UPLOADED = 24
"""Number of shifted images that pass through ingest and the endpoint; the manifest is about them."""

REPORTED_WITHIN_S, ALARM_WITHIN_S, OK_WITHIN_S, ANALYSED_WITHIN_S = 200.0, 240.0, 600.0, 240.0
_OF = {"service": "monitor", "function": "monitor"}
FEATURES = ("brightness", "pixels", "format", "confidence-moderation", "embedding")

BASELINE, OTHERS, CHANGED = (USUAL, "baseline"), (USUAL, "others"), (SHIFTED, "shifted")
"""Kinds and seeds of the samples."""


class Drift:
    """A thousand images like the baseline's raise no alarm; a thousand shifted ones do."""

    name = "drift"
    title = "Input drift"
    after: tuple[tuple[str, Phase], ...] = ()

    def __init__(self) -> None:
        """Start to compute samples, which takes minutes unless they are cached."""
        self._own: list[str] = []
        self._computation = ThreadPoolExecutor(1).submit(_compute_samples)

    def prepare(self, run: ScenarioRun) -> None:
        """Let the monitor build its baseline of a thousand images, and fill in a thousand others of the same kind."""
        self._computation.result()
        run.environment.fill_samples(synthetic_samples.make_samples(*BASELINE, SLOTS, time.time()))
        wait_until(
            lambda: self._documents(run, "watch/baseline.json"), "the monitor builds a baseline", REPORTED_WITHIN_S
        )
        run.mark("note", f"the monitor has a baseline of {SLOTS} images")
        others = synthetic_samples.make_samples(*OTHERS, SLOTS, time.time())
        run.environment.fill_samples(others)
        self._wait_for_check(run)
        psi = self._read_psi(run)
        run.mark("note", f"{SLOTS} other images of the same kind: PSI {psi:.3f}")
        run.record_fact(f"largest PSI of {SLOTS} unshifted images with other seeds", f"{psi:.3f}")
        require(
            psi <= LIMIT and not run.list_alarm_times(ALARM), f"images of the same kind count as drift: PSI {psi:.3f}"
        )

    def inject(self, run: ScenarioRun) -> None:
        """Upload some shifted images, and store samples of the others."""
        for number in range(UPLOADED):
            image = draw_image(SHIFTED, "whole-way", number)
            self._own.append(f"gameday/shifted-{int(run.begun_s)}-{number}.{image.suffix}")
            run.environment.upload(self._own[-1], image.body)
        wait_until(lambda: self._all_analysed(run), "the uploaded images are analysed", ANALYSED_WITHIN_S)
        own = [one for one in run.environment.samples.recent() if one.key in self._own]
        run.record_fact("samples of uploaded images", f"{len(own)} of {UPLOADED}")
        shifted = synthetic_samples.make_samples(*CHANGED, SLOTS, time.time())
        run.mark("break", "uploads shift to dark, tiny and other-format images")
        run.environment.fill_samples([*own, *shifted][:SLOTS])

    def expect(self, run: ScenarioRun) -> None:
        """Wait for the alarm and the manifest."""
        run.wait_for_alarm(ALARM, ALARM_WITHIN_S)
        run.record_fact("largest PSI of shifted images", f"{self._read_psi(run):.3f}")
        documents = wait_until(
            lambda: self._documents(run, "watch/manifests/"), "there is a manifest", REPORTED_WITHIN_S
        )
        wait_until(
            lambda: any(name.endswith("drift.json") for name in self._documents(run, "watch/manifests/")), "", 60
        )
        lines = [line for name in documents if name.endswith(".manifest") for line in self._read(run, name)]
        about = {line["source-ref"].partition("/masters/")[2] for line in lines}
        run.record_fact(
            "images in the manifest", f"{len(about)}, {len(about & set(self._own))} of them uploaded by this run"
        )
        require(about & set(self._own), "the manifest has none of the uploaded images")

    def clear(self, run: ScenarioRun) -> None:
        """Build a new baseline, as the runbook directs for a shift that the model handles correctly."""
        run.environment.invoke("MonitorFunction", {"watch": ["baseline"]})
        run.mark("clear", "the shifted images are the new baseline")

    def verify(self, run: ScenarioRun) -> None:
        """Verify that the alarm is OK."""
        run.wait_for_ok(ALARM, OK_WITHIN_S)
        run.record_fact("largest PSI against the new baseline", f"{self._read_psi(run):.3f}")
        require(run.find_audit_entry("decision", "baseline"), "the audit log has no entry of the baseline")

    def _wait_for_check(self, run: ScenarioRun) -> None:
        """Wait for a drift check that begins after now."""
        since_s = time.time()
        wait_until(lambda: self._has_newer_point(run, since_s), "the monitor checks drift", REPORTED_WITHIN_S)

    @staticmethod
    def _has_newer_point(run: ScenarioRun, since_s: float) -> bool:
        """Return whether a point of a whole minute after ``since_s`` exists; the minute of ``since_s`` may be older."""
        [points] = run.environment.minutes(
            [MetricStat(NAMESPACE, "DriftPsi", _OF, "Maximum")], since_s + 60, time.time() + 60
        )
        return bool(points)

    @staticmethod
    def _read_psi(run: ScenarioRun) -> float:
        """Return the newest PSI."""
        now_s = time.time()
        [points] = run.environment.minutes([MetricStat(NAMESPACE, "DriftPsi", _OF, "Maximum")], now_s - 600, now_s + 60)
        return points[-1][1] if points else 0.0

    def _all_analysed(self, run: ScenarioRun) -> bool:
        return all(run.environment.findings(key) for key in self._own)

    @staticmethod
    def _documents(run: ScenarioRun, prefix: str) -> list[str]:
        found = run.environment.cloud.s3.list_objects_v2(Bucket=run.environment.info["media_bucket"], Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]

    @staticmethod
    def _read(run: ScenarioRun, name: str) -> list[dict[str, str]]:
        body = run.environment.cloud.s3.get_object(Bucket=run.environment.info["media_bucket"], Key=name)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]


def _compute_samples() -> None:
    """Compute and cache all samples."""
    for kind, seed in (BASELINE, OTHERS, CHANGED):
        synthetic_samples.make_samples(kind, seed, SLOTS, 0.0)
