"""Scenario: a degraded moderation model runs as a canary with a tenth of the calls."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from darkroom.findings import MODERATION
from darkroom.mlops.model_registry import REJECTED, ModelVersion
from darkroom.operations.cloudwatch import MetricStat
from local.paths import ENDPOINT, MODELS
from tools.degraded_model import VERSION, write_degraded_models

from ..images import SHIFTED, draw_image
from ..scenario_run import ChartSpec, Phase, ScenarioRun
from ..wait_for import require, wait_until

CANARY, MAIN = "canary", "main"
SHARE = 0.1
AT_ONCE = 12
"""Number of images in progress at a time."""

ROLLED_BACK_WITHIN_S, ANALYSED_WITHIN_S, REPORTED_WITHIN_S = 780.0, 240.0, 60.0
READERS = 8


class Canary:
    """The scheduled monitor rolls the canary back, and no stored result is of the degraded model."""

    name = "canary"
    title = "Degraded canary model"
    after: tuple[tuple[str, Phase], ...] = (("endpoint", "clear"), ("drift", "clear"))
    chart_specs = (
        ChartSpec(
            "Endpoint calls by variant",
            "a minute",
            {
                name: MetricStat("AWS/SageMaker", "Invocations", {"EndpointName": ENDPOINT, "VariantName": name})
                for name in (MAIN, CANARY)
            },
        ),
    )

    def __init__(self, folder: Path) -> None:
        self._models = folder / "worse"
        self._keys: list[str] = []
        self._events = ""

    def prepare(self, run: ScenarioRun) -> None:
        """Build and register the degraded model, and start it without calls."""
        write_degraded_models(MODELS, self._models)
        version = ModelVersion(
            self._models.as_uri(), {"recall": 0.99}, {"revision": "gameday"}, "A degraded moderation model"
        )
        run.environment.registry.register(version)
        run.environment.start_variant(CANARY, str(self._models), 0.0)
        self._events = self._recorder(run)

    def inject(self, run: ScenarioRun) -> None:
        """Route a tenth of the calls to the canary."""
        run.environment.set_weights({MAIN: 1 - SHARE, CANARY: SHARE})
        run.mark("break", f"the canary receives {SHARE:.0%} of the calls")

    def expect(self, run: ScenarioRun) -> None:
        """Upload images until the monitor rolls the canary back."""
        deadline_s = time.monotonic() + ROLLED_BACK_WITHIN_S
        in_progress: list[str] = []
        while run.environment.variants()[CANARY]["weight"] and time.monotonic() < deadline_s:
            in_progress = [key for key in in_progress if not run.environment.findings(key)]
            for _ in range(AT_ONCE - len(in_progress)):
                in_progress.append(self._upload(run))
            time.sleep(1)
        variants = run.environment.variants()
        require(variants[CANARY]["weight"] == 0 and variants[MAIN]["weight"] == 1, f"weights are still {variants}")
        run.mark("alarm", f"the monitor rolls the canary back after {len(self._keys)} uploads")
        trials = [one.trial for one in run.environment.samples.recent(since_s=run.begun_s) if one.trial is not None]
        run.record_fact("images uploaded", len(self._keys))
        run.record_fact("images analysed by both models", len(trials))

    def clear(self, run: ScenarioRun) -> None:
        """Reset the weights if the monitor has not."""
        if run.environment.variants().get(CANARY, {}).get("weight"):
            run.environment.set_weights({MAIN: 1.0, CANARY: 0.0})

    def verify(self, run: ScenarioRun) -> None:
        """Verify that the model is rejected, recorded and announced, and that no result of it is stored."""
        version = run.environment.registry.find_by_image(self._models.as_uri())
        require(version is not None and version.approval == REJECTED, f"the registry says {version}")
        run.record_fact("reason of the rejection", version.reason if version else "")
        entry = wait_until(
            lambda: run.find_audit_entry("decision", ENDPOINT), "the audit log has an entry", REPORTED_WITHIN_S
        )
        facts = entry["facts"]
        run.record_fact("entry of the audit log", f"{entry['at']}, {entry['kind']} by {entry['by']}: {facts['action']}")
        event = wait_until(lambda: self._read_rollback(run), "ModelRolledBack is announced", REPORTED_WITHIN_S)
        run.record_fact("the event ModelRolledBack", f"{event['canary']}: {'; '.join(event['reasons'])}")
        require(facts["action"] == "rollback" and event["canary"] == CANARY, f"{facts} {event}")
        run.mark("clear", "rejected in the registry, recorded, announced")
        wait_until(lambda: all(map(bool, self._list_findings(run))), "all uploads are analysed", ANALYSED_WITHIN_S)
        versions = [str(found.get(MODERATION, {}).get("version", "")) for found in self._list_findings(run)]
        overwritten = [version for version in versions if version.endswith(VERSION)]
        require(any(versions), "no moderation result is stored")
        run.record_fact("images with results of the degraded model", f"{len(overwritten)} of {len(self._keys)}")
        require(not overwritten, f"{len(overwritten)} images have results of the degraded model")

    def _upload(self, run: ScenarioRun) -> str:
        image = draw_image(SHIFTED, "canary", len(self._keys))
        key = f"gameday/canary-{int(run.begun_s)}-{len(self._keys)}.{image.suffix}"
        self._keys.append(key)
        run.environment.upload(key, image.body)
        return key

    def _list_findings(self, run: ScenarioRun) -> list[dict[str, dict[str, Any]]]:
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(run.environment.findings, self._keys))

    @staticmethod
    def _recorder(run: ScenarioRun) -> str:
        """Create a queue for events about models."""
        cloud, name = run.environment.cloud, "gameday-events"
        url = cloud.queues.create_queue(QueueName=name)["QueueUrl"]
        arn = cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = cloud.events
        pattern = json.dumps({"source": ["darkroom"], "detail-type": ["ModelRolledBack", "ModelPromoted"]})
        events.put_rule(Name=name, EventPattern=pattern)
        events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": arn}])
        return url

    def _read_rollback(self, run: ScenarioRun) -> dict[str, Any] | None:
        answer = run.environment.cloud.queues.receive_message(QueueUrl=self._events, VisibilityTimeout=1)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        return next((body["detail"] for body in bodies if body["detail-type"] == "ModelRolledBack"), None)
