"""Scenario: the distribution of uploads shifts to dark, tiny and other-format images."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from darkroom_analysis.mlops.drift_check import BASELINE as BASELINE_KEY
from darkroom_analysis.mlops.manifests import FOLDER
from darkroom_pipeline.aws.sample_slots import SLOTS
from darkroom_pipeline.operations.cloudwatch import MetricStat

from .. import synthetic_samples
from ..environment import NAMESPACE
from ..images import SHIFTED, USUAL
from ..model_release import ImageStream, list_marks
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

ALARM = "drift"
LIMIT = 0.2
UPLOADED = 24
"""Number of shifted images that pass through ingest and the endpoint; the manifest is about them."""

REPORTED_WITHIN_S, ALARM_WITHIN_S, OK_WITHIN_S, ANALYSED_WITHIN_S = 200.0, 240.0, 600.0, 240.0
PSI = MetricStat(NAMESPACE, "DriftPsi", {"service": "monitor", "function": "monitor"}, "Maximum")
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
        self._computation = ThreadPoolExecutor(1).submit(_compute_samples)

    def prepare(self, run: ScenarioRun) -> None:
        """Let the monitor build its baseline of a thousand images, and fill in a thousand others of the same kind."""
        self._computation.result()
        run.environment.fill_samples(synthetic_samples.make_samples(*BASELINE, SLOTS, time.time()))
        wait_until(lambda: run.environment.media.read(BASELINE_KEY), "the monitor builds a baseline", REPORTED_WITHIN_S)
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
        self._images = ImageStream(run, SHIFTED, "whole-way")
        for _ in range(UPLOADED):
            self._images.upload()
        self._images.wait_for_findings(ANALYSED_WITHIN_S)
        own = [one for one in run.environment.samples.recent() if one.key in self._images.keys]
        run.record_fact("samples of uploaded images", f"{len(own)} of {UPLOADED}")
        shifted = synthetic_samples.make_samples(*CHANGED, SLOTS, time.time())
        run.mark("break", "uploads shift to dark, tiny and other-format images")
        run.environment.fill_samples([*own, *shifted][:SLOTS])

    def expect(self, run: ScenarioRun) -> None:
        """Wait for the alarm and the manifest."""
        run.wait_for_alarm(ALARM, ALARM_WITHIN_S)
        run.record_fact("largest PSI of shifted images", f"{self._read_psi(run):.3f}")
        wait_until(lambda: list_marks(run.environment.media), "there is a manifest", REPORTED_WITHIN_S)
        about = set(self._read_manifests(run))
        own = about & set(self._images.keys)
        run.record_fact("images in the manifest", f"{len(about)}, {len(own)} of them uploaded by this run")
        require(own, "the manifest has none of the uploaded images")

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
        return bool(run.environment.list_minutes(PSI, since_s + 60, time.time() + 60))

    @staticmethod
    def _read_psi(run: ScenarioRun) -> float:
        """Return the newest PSI."""
        now_s = time.time()
        points = run.environment.list_minutes(PSI, now_s - 600, now_s + 60)
        return points[-1][1] if points else 0.0

    @staticmethod
    def _read_manifests(run: ScenarioRun) -> Iterator[str]:
        """Yield the key of each image in a manifest."""
        media = run.environment.media
        for page in media.list_pages(FOLDER):
            for one in page:
                if one.key.endswith(".manifest"):
                    for line in (media.read(one.key) or b"").splitlines():
                        yield json.loads(line)["source-ref"].partition("/masters/")[2]


def _compute_samples() -> None:
    """Compute and cache all samples."""
    for kind, seed in (BASELINE, OTHERS, CHANGED):
        synthetic_samples.make_samples(kind, seed, SLOTS, 0.0)
