"""A worse moderation model is put beside the one in use, and gets one call of ten."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from darkroom.aws.cloudwatch import MetricStat
from darkroom.findings import MODERATION
from darkroom.mlops.model_registry import REJECTED, ModelVersion
from local.paths import ENDPOINT, MODELS
from tools.degraded_model import VERSION, write_degraded_models

from ..pictures import SHIFTED, draw_image
from ..scenario_run import Phase, ScenarioRun, Shown
from ..wait_for import require, wait_until

CANARY, MAIN = "canary", "main"
SHARE = 0.1
AT_ONCE = 12
"""Pictures that are on their way at a time."""

ROLLED_BACK_WITHIN_S, SEEN_WITHIN_S, TOLD_WITHIN_S = 780.0, 240.0, 60.0
READERS = 8


class Canary:
    """The monitor, on its schedule, takes it back, and no picture bears its word."""

    name = "canary"
    title = "A worse model as a canary"
    after: tuple[tuple[str, Phase], ...] = (("endpoint", "clear"), ("drift", "clear"))
    shown = (
        Shown(
            "Calls of the endpoint by variant",
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

    def prepare(self, play: ScenarioRun) -> None:
        """Make the model, register it, and serve it without any calls yet."""
        write_degraded_models(MODELS, self._models)
        version = ModelVersion(
            self._models.as_uri(), {"recall": 0.99}, {"revision": "gameday"}, "A worse moderation model"
        )
        play.world.registry.register(version)
        play.world.start_variant(CANARY, str(self._models), 0.0)
        self._events = self._recorder(play)

    def break_(self, play: ScenarioRun) -> None:
        """One call of ten."""
        play.world.weigh({MAIN: 1 - SHARE, CANARY: SHARE})
        play.mark("break", f"the canary takes {SHARE:.0%} of the calls")

    def expect(self, play: ScenarioRun) -> None:
        """Uploads, of which the monitor learns enough to take it back."""
        deadline_s = time.monotonic() + ROLLED_BACK_WITHIN_S
        on_their_way: list[str] = []
        while play.world.variants()[CANARY]["weight"] and time.monotonic() < deadline_s:
            on_their_way = [key for key in on_their_way if not play.world.findings(key)]
            for _ in range(AT_ONCE - len(on_their_way)):
                on_their_way.append(self._upload(play))
            time.sleep(1)
        variants = play.world.variants()
        require(variants[CANARY]["weight"] == 0 and variants[MAIN]["weight"] == 1, f"weights are still {variants}")
        play.mark("alarm", f"the monitor takes the canary back after {len(self._keys)} uploads")
        trials = [one.trial for one in play.world.samples.recent(since_s=play.begun_s) if one.trial is not None]
        play.fact("pictures uploaded", len(self._keys))
        play.fact("pictures that both models were asked about", len(trials))

    def clear(self, play: ScenarioRun) -> None:
        """The monitor has done it all; without it the weights go back by hand."""
        if play.world.variants().get(CANARY, {}).get("weight"):
            play.world.weigh({MAIN: 1.0, CANARY: 0.0})

    def verify(self, play: ScenarioRun) -> None:
        """Rejected, written down, announced, and no picture harmed."""
        version = play.world.registry.find_by_image(self._models.as_uri())
        require(version is not None and version.approval == REJECTED, f"the registry says {version}")
        play.fact("why the registry rejects it", version.reason if version else "")
        entry = wait_until(lambda: play.noted("decision", ENDPOINT), "the audit log knows of it", TOLD_WITHIN_S)
        facts = entry["facts"]
        play.fact("the audit log", f"{entry['at']}, {entry['kind']} by {entry['by']}: {facts['action']}")
        event = wait_until(lambda: self._announced(play), "ModelRolledBack is announced", TOLD_WITHIN_S)
        play.fact("the event ModelRolledBack", f"{event['canary']}: {'; '.join(event['reasons'])}")
        require(facts["action"] == "rollback" and event["canary"] == CANARY, f"{facts} {event}")
        play.mark("clear", "rejected in the registry, written down, announced")
        wait_until(lambda: all(map(bool, self._found(play))), "all uploads have been looked at", SEEN_WITHIN_S)
        versions = [str(found.get(MODERATION, {}).get("version", "")) for found in self._found(play)]
        harmed = [version for version in versions if version.endswith(VERSION)]
        require(any(versions), "moderation has looked at nothing")
        play.fact("pictures that bear the worse model's word", f"{len(harmed)} of {len(self._keys)}")
        require(not harmed, f"{len(harmed)} pictures bear the worse model's word")

    def _upload(self, play: ScenarioRun) -> str:
        picture = draw_image(SHIFTED, "canary", len(self._keys))
        key = f"gameday/canary-{int(play.begun_s)}-{len(self._keys)}.{picture.suffix}"
        self._keys.append(key)
        play.world.upload(key, picture.body)
        return key

    def _found(self, play: ScenarioRun) -> list[dict[str, dict[str, Any]]]:
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(play.world.findings, self._keys))

    @staticmethod
    def _recorder(play: ScenarioRun) -> str:
        """A queue that gets what is announced of models."""
        cloud, name = play.world.cloud, "gameday-events"
        url = cloud.queues.create_queue(QueueName=name)["QueueUrl"]
        arn = cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = cloud.events
        pattern = json.dumps({"source": ["darkroom"], "detail-type": ["ModelRolledBack", "ModelPromoted"]})
        events.put_rule(Name=name, EventPattern=pattern)
        events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": arn}])
        return url

    def _announced(self, play: ScenarioRun) -> dict[str, Any] | None:
        answer = play.world.cloud.queues.receive_message(QueueUrl=self._events, VisibilityTimeout=1)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        return next((body["detail"] for body in bodies if body["detail-type"] == "ModelRolledBack"), None)
