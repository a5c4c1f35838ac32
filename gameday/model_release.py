"""Parts of scenarios about models: images for a canary, and the records of the monitor's decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from darkroom_analysis.mlops.canary_rollout import EVENTS, PROMOTE, ROLLBACK
from darkroom_analysis.mlops.manifests import FOLDER
from darkroom_analysis.mlops.model_registry import APPROVED, REJECTED, ModelVersion
from darkroom_pipeline.aws.s3 import ListedObject, S3Bucket
from local.paths import ENDPOINT

from .environment import Environment
from .images import draw_image
from .scenario_run import ScenarioRun
from .wait_for import wait_until

MAIN = "main"
"""The variant of the template."""

AT_ONCE = 12
READERS = 8
RECORDED_WITHIN_S = 60.0
APPROVALS = {PROMOTE: APPROVED, ROLLBACK: REJECTED}


class ImageStream:
    """Uploads images of one kind, AT_ONCE of them at a time. ``keys`` are all uploads."""

    def __init__(self, run: ScenarioRun, kind: str, seed: str) -> None:
        self.keys: list[str] = []
        self._environment = run.environment
        self._prefix = f"gameday/{seed}-{int(run.begun_s)}-"
        self._drawn = (kind, seed)
        self._in_progress: list[str] = []

    def top_up(self) -> None:
        """Upload as many images as were analysed since the last call."""
        self._in_progress = [key for key in self._in_progress if not self._environment.findings(key)]
        for _ in range(AT_ONCE - len(self._in_progress)):
            self._in_progress.append(self.upload())

    def upload(self) -> str:
        """Upload the next image; return its key."""
        image = draw_image(*self._drawn, len(self.keys))
        self.keys.append(f"{self._prefix}{len(self.keys)}.{image.suffix}")
        self._environment.upload(self.keys[-1], image.body)
        return self.keys[-1]

    def wait_for_endpoint(self, key: str, within_s: float) -> None:
        """Wait until the endpoint, and no fallback model, has analysed an image. Raises WaitTimeout."""
        by = self._environment.list_analysers
        wait_until(lambda: by(key) == {"endpoint"}, f"the endpoint analyses {key}", within_s)

    def wait_for_findings(self, within_s: float) -> list[dict[str, dict[str, Any]]]:
        """Return the findings of all uploads, once each has some. Raises WaitTimeout."""
        wait_until(lambda: all(self._list_findings()), "all uploads are analysed", within_s)
        return self._list_findings()

    def _list_findings(self) -> list[dict[str, dict[str, Any]]]:
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(self._environment.findings, self.keys))


class ModelEvents:
    """A queue that receives the events about decisions."""

    def __init__(self, environment: Environment, name: str) -> None:
        """Create the queue and its rule, both named ``name``."""
        self._queues = environment.cloud.queues
        self._url = self._queues.create_queue(QueueName=name)["QueueUrl"]
        found = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        pattern = json.dumps({"source": ["darkroom"], "detail-type": list(EVENTS.values())})
        environment.cloud.events.put_rule(Name=name, EventPattern=pattern)
        environment.cloud.events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": found["Attributes"]["QueueArn"]}])

    def find(self, action: str, canary: str) -> dict[str, Any] | None:
        """Return the detail of the event about ``canary``, None before it arrives."""
        answer = self._queues.receive_message(QueueUrl=self._url, VisibilityTimeout=1, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        details = [body["detail"] for body in bodies if body["detail-type"] == EVENTS[action]]
        return next((detail for detail in details if detail["canary"] == canary), None)


def list_marks(media: S3Bucket) -> list[ListedObject]:
    """Return the marks of the days of which there are complete manifests."""
    return [one for page in media.list_pages(FOLDER) for one in page if one.key.endswith("/drift.json")]


def require_records(run: ScenarioRun, events: ModelEvents, action: str, canary: str, image: str) -> None:
    """Require that a decision about ``canary`` is in the registry, in the audit log, and was announced."""

    def wait_for[T](find: Callable[[], T | None], where: str) -> T:
        return wait_until(find, f"the {action} of {canary} is in {where}", RECORDED_WITHIN_S)

    version = wait_for(lambda: _find_version(run, action, image), "the registry")
    run.record_fact(f"{canary} in the registry", f"{version.approval}: {version.reason}")
    entry = wait_for(lambda: run.find_audit_entry("decision", ENDPOINT, action=action, canary=canary), "the audit log")
    run.record_fact(f"{canary} in the audit log", f"{entry['at']}, {entry['kind']} by {entry['by']}: {action}")
    event = wait_for(lambda: events.find(action, canary), "an event")
    run.record_fact(f"{canary} in the event {EVENTS[action]}", "; ".join(event["reasons"]))


def _find_version(run: ScenarioRun, action: str, image: str) -> ModelVersion | None:
    version = run.environment.registry.find_by_image(image)
    return version if version is not None and version.approval == APPROVALS[action] else None
