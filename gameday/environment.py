"""Access to the running stack for uploads, views, operation and alarms."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from itertools import count
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3

from cli.local_stack import environment
from cli.settings.stacks import open_local_target
from darkroom.aws.switches import Switch
from darkroom.plan.url_builder import sign_target
from darkroom.services.upload_requests import Grant, make_token
from darkroom.settings import DEFAULTS
from darkroom_analysis.mlops.model_registry import ModelRegistry
from darkroom_analysis.mlops.sample import Sample
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.switch_store import SwitchStore
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics, MetricStat
from local.aws import Cloud, tool_environment
from local.paths import ENDPOINT, STACK

NAMESPACE = f"Darkroom/{STACK}"
TOKEN_LASTS_S = 900
WRITERS = 4
ALIAS = "live"
"""Alias of functions that are released gradually; it serves requests."""


@dataclass(frozen=True)
class Environment:
    """The running stack. ``info`` is the content of ``stack.json`` in the folder ``state``. Thread-safe."""

    info: Mapping[str, Any]
    state: Path
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16, retries=False))

    @cached_property
    def cloud(self) -> Cloud:
        """Return initialised clients of the stack's MiniStack."""
        cloud = Cloud(self.info["aws_endpoint_url"])
        _ = (cloud.s3, cloud.functions, cloud.queues, cloud.dynamodb, cloud.metrics)
        return cloud

    # ---------------------------------------------------------- images

    def upload(self, key: str, body: bytes) -> None:
        """Upload a file."""
        self.cloud.s3.put_object(Bucket=self.info["uploads_bucket"], Key=key, Body=body)

    def post(self, key: str, body: bytes, *, priority: str = "") -> None:
        """Upload a file by a presigned POST, with a token of this priority. OSError if it is refused."""
        grant = Grant(key, int(time.time()) + TOKEN_LASTS_S, priority=priority)
        token = make_token(grant, self.info["signing_key"])
        declared = {
            "key": key,
            "type": guess_type(key)[0],
            "size": len(body),
            "sha256": sha256(body).hexdigest(),
        }
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"{self.info['upload_url']}/uploads"
        form = self._checked(
            self._http.request("POST", url, body=json.dumps(declared).encode(), headers=headers, timeout=60),
            HTTPStatus.CREATED,
        )
        fields = {**form["fields"], "file": (key, body)}
        sent = self._http.request("POST", form["url"], fields=fields, timeout=60)
        if sent.status != HTTPStatus.NO_CONTENT:
            raise OSError(f"{sent.status} {sent.data[:300]!r}")

    def view(self, target: str, *, signed: bool = False) -> urllib3.BaseHTTPResponse:
        """Request a path and query from the CDN, signed if ``signed``."""
        path_and_query = sign_target(target, self.info["signing_key"]) if signed else target
        return self._http.request("GET", self.info["cdn_url"] + path_and_query, redirect=False, timeout=60)

    def findings(self, key: str) -> dict[str, dict[str, Any]]:
        """Return the findings of an image by task, empty before its analysis."""
        record = self._read(f"/findings?key={quote(key)}")
        return dict(record.get("findings", {}).get("tasks", {}))

    def list_analysers(self, key: str) -> set[str]:
        """Return what has analysed an image: ``endpoint``, ``fallback``, both, or nothing yet."""
        return {str(found["by"]) for found in self.findings(key).values()}

    # ------------------------------------------------------------- alarms

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Return the state of all alarms, by name without the stack's prefix."""
        return {strip_stack_name(alarm["name"]): alarm for alarm in self._read("/watch/alarms")}

    def changes(self) -> list[dict[str, Any]]:
        """Return the state changes of alarms, oldest first."""
        return [{**one, "name": strip_stack_name(one["name"])} for one in self._read("/watch/alarms/history")]

    def pages(self) -> list[dict[str, Any]]:
        """Return the pages sent, oldest first."""
        return [{**one, "name": strip_stack_name(one["name"])} for one in self._read("/watch/alarms/pages")]

    def audit(self, limit: int = 200) -> list[dict[str, Any]]:
        """Return entries of the audit log, newest first."""
        return AuditLog(S3Bucket(self.cloud.s3, self.info["outputs"]["AuditBucketName"])).list_newest(limit, days=2)

    def list_minutes(self, metric: MetricStat, begin_s: float, end_s: float) -> Sequence[tuple[float, float]]:
        """Return the points of ``metric`` by the minute."""
        metrics = CloudWatchMetrics(self.cloud.metrics)
        [points] = metrics.get_points([metric], begin_s=begin_s // 60 * 60, end_s=end_s, period_s=60)
        return points

    # ------------------------------------------------------------ models

    def endpoint_state(self) -> str:
        """Return the state of the model server."""
        return str(self._read("/inference")["state"])

    def variants(self) -> dict[str, dict[str, Any]]:
        """Return the endpoint's variants by name."""
        return {one["name"]: one for one in self._read("/sagemaker")[ENDPOINT]}

    def set_weights(self, weights: Mapping[str, object]) -> None:
        """Set weights, or other containers, of the endpoint's variants."""
        self._send("PUT", f"/sagemaker/{ENDPOINT}", {"weights": dict(weights)})

    def start_variant(self, name: str, models: str, weight: float) -> None:
        """Start a variant with the models of a folder. Returns when they are loaded."""
        self._send("POST", f"/sagemaker/{ENDPOINT}/variants", {"name": name, "models": models, "weight": weight})

    def remove_variant(self, name: str) -> None:
        """End a variant that was started, unless there is none of this name."""
        if name in self.variants():
            self._send("DELETE", f"/sagemaker/{ENDPOINT}/variants/{name}", {})

    @cached_property
    def registry(self) -> ModelRegistry:
        """Return the stack's model registry."""
        return ModelRegistry(create_client("sagemaker", environment(self.info)), self.info["outputs"]["ModelGroupName"])

    @cached_property
    def samples(self) -> SampleStore:
        """Return the store of inference samples."""
        return SampleStore(self.cloud.dynamodb, self.info["index_table"])

    def fill_samples(self, samples: Sequence[Sample]) -> None:
        """Store ``samples``, one in each slot from the first slot on."""
        slots = count()
        store = SampleStore(self.cloud.dynamodb, self.info["index_table"], choose=lambda _: next(slots))
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(store.put, samples))

    # ------------------------------------------------------ operation

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables with which commands use the stack as one on AWS."""
        return tool_environment(self.info["aws_endpoint_url"]) | environment(self.info)

    @property
    def media(self) -> S3Bucket:
        """Return the media bucket."""
        return S3Bucket(self.cloud.s3, self.info["media_bucket"])

    def switch(self, name: str) -> Switch:
        """Return a switch."""
        return SwitchStore(self.media).read(name)

    def count_messages(self, queue: str) -> int:
        """Count the messages of a queue, such as ``infer`` or ``infer_dead_letters``, and those in flight."""
        found = self.cloud.queues.get_queue_attributes(QueueUrl=self.info["queues"][queue], AttributeNames=["All"])
        counts = found["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])

    def enable_consumers(self, queue: str, is_enabled: bool) -> None:
        """Enable or disable the event source mappings of ``queue``, such as ``refine``."""
        url = self.info["queues"][queue]
        found = self.cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        mappings = self.cloud.functions.list_event_source_mappings(EventSourceArn=found["Attributes"]["QueueArn"])
        for mapping in mappings["EventSourceMappings"]:
            self.cloud.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=is_enabled)

    def function(self, logical_id: str) -> str:
        """Return a function's name."""
        return str(self.info["functions"][logical_id]["name"])

    def redeploy(self, logical_id: str, variables: Mapping[str, str | None]) -> None:
        """Change environment variables of a function, as a deployment does; None removes one."""
        functions, name = self.cloud.functions, self.function(logical_id)
        now = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        environment_variables = {key: value for key, value in {**now, **variables}.items() if value is not None}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": environment_variables})
        aliases = [one["Name"] for one in functions.list_aliases(FunctionName=name)["Aliases"]]
        if ALIAS in aliases:
            version = functions.publish_version(FunctionName=name)["Version"]
            functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)

    def set(self, **settings: object) -> dict[str, object]:
        """Change settings; return their previous values. Functions read them within a minute."""
        documents = open_local_target(self.info).documents
        current = documents.current()
        documents.write({**current.table, **settings}, replaces=current, by="gameday")
        return {name: current.table.get(name, getattr(DEFAULTS, name)) for name in settings}

    def invoke(self, logical_id: str, event: object) -> Any:
        """Invoke a function and return its result."""
        payload = json.dumps(event).encode()
        answer = self.cloud.functions.invoke(FunctionName=self.function(logical_id), Payload=payload)
        return json.loads(answer["Payload"].read() or b"null")

    def start(self, logical_id: str, event: object) -> None:
        """Invoke a function without waiting for its end."""
        name, payload = self.function(logical_id), json.dumps(event).encode()
        self.cloud.functions.invoke(FunctionName=name, Payload=payload, InvocationType="Event")

    def _read(self, path: str) -> Any:
        return self._checked(self._http.request("GET", self.info["control_url"] + path, timeout=60))

    def _send(self, method: str, path: str, document: object) -> Any:
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        url = self.info["control_url"] + path
        return self._checked(self._http.request(method, url, body=body, headers=headers, timeout=300))

    @staticmethod
    def _checked(answer: urllib3.BaseHTTPResponse, expected: int = HTTPStatus.OK) -> Any:
        if answer.status != expected:
            raise OSError(f"{answer.status} {answer.data[:300]!r}")
        return json.loads(answer.data)


def strip_stack_name(name: str) -> str:
    """Remove the stack's prefix from an alarm's name."""
    return name.removeprefix(f"{STACK}-")
