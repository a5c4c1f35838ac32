"""Scenario: a degraded moderation model runs as a canary with a tenth of the calls."""

from __future__ import annotations

import time
from pathlib import Path

from cli.models.degraded_model import VERSION, write_degraded_models
from darkroom.findings import MODERATION
from darkroom_analysis.mlops.canary_rollout import ROLLBACK
from darkroom_analysis.mlops.model_registry import ModelVersion
from local.paths import MODELS

from ..images import SHIFTED
from ..model_release import MAIN, ImageStream, ModelEvents, require_records
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require

CANARY = "canary"
SHARE = 0.1
ROLLED_BACK_WITHIN_S, ANALYSED_WITHIN_S = 780.0, 240.0


class Canary:
    """The scheduled monitor rolls the canary back, and no stored result is of the degraded model."""

    name = "canary"
    title = "Degraded canary model"
    after: tuple[tuple[str, Phase], ...] = (("endpoint", "clear"), ("drift", "clear"))

    def __init__(self, folder: Path) -> None:
        self._models = folder / "worse"

    def prepare(self, run: ScenarioRun) -> None:
        """Build and register the degraded model, and start it without calls."""
        write_degraded_models(MODELS, self._models)
        version = ModelVersion(
            self._models.as_uri(), {"recall": 0.99}, {"revision": "gameday"}, "A degraded moderation model"
        )
        run.environment.registry.register(version)
        run.environment.start_variant(CANARY, str(self._models), 0.0)
        self._events = ModelEvents(run.environment, "gameday-canary")
        self._images = ImageStream(run, SHIFTED, "canary")

    def inject(self, run: ScenarioRun) -> None:
        """Route a tenth of the calls to the canary."""
        run.environment.set_weights({MAIN: 1 - SHARE, CANARY: SHARE})
        run.mark("break", f"the canary receives {SHARE:.0%} of the calls")

    def expect(self, run: ScenarioRun) -> None:
        """Upload images until the monitor rolls the canary back."""
        deadline_s = time.monotonic() + ROLLED_BACK_WITHIN_S
        while run.environment.variants()[CANARY]["weight"] and time.monotonic() < deadline_s:
            self._images.top_up()
            time.sleep(1)
        variants = run.environment.variants()
        require(variants[CANARY]["weight"] == 0 and variants[MAIN]["weight"] == 1, f"weights are still {variants}")
        run.mark("alarm", f"the monitor rolls the canary back after {len(self._images.keys)} uploads")
        trials = [one.trial for one in run.environment.samples.recent(since_s=run.begun_s) if one.trial is not None]
        run.record_fact("images uploaded", len(self._images.keys))
        run.record_fact("images analysed by both models", len(trials))

    def clear(self, run: ScenarioRun) -> None:
        """Reset the weights if the monitor has not."""
        if run.environment.variants().get(CANARY, {}).get("weight"):
            run.environment.set_weights({MAIN: 1.0, CANARY: 0.0})

    def verify(self, run: ScenarioRun) -> None:
        """Verify that the model is rejected, recorded and announced, and that no result of it is stored."""
        require_records(run, self._events, ROLLBACK, CANARY, self._models.as_uri())
        run.mark("clear", "rejected in the registry, recorded, announced")
        found = self._images.wait_for_findings(ANALYSED_WITHIN_S)
        versions = [str(tasks.get(MODERATION, {}).get("version", "")) for tasks in found]
        overwritten = [version for version in versions if version.endswith(VERSION)]
        require(any(versions), "no moderation result is stored")
        run.record_fact("images with results of the degraded model", f"{len(overwritten)} of {len(versions)}")
        require(not overwritten, f"{len(overwritten)} images have results of the degraded model")
