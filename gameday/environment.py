"""The running stack as somebody sees it who uploads, views, operates and is called at night."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

import urllib3

from darkroom.aws.audit import AuditLog
from darkroom.aws.clients import create_client
from darkroom.aws.cloudwatch import CloudWatchMetrics, MetricStat
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.switches import Switch, SwitchStore
from darkroom.mlops.model_registry import ModelRegistry
from darkroom.mlops.sample_store import SampleStore
from darkroom.plan.url_builder import sign_target
from local.aws import Cloud
from local.paths import ENDPOINT, STACK
from tools.local_stack import environment
from tools.settings.stacks import of_facts

NAMESPACE = f"Darkroom/{STACK}"
ALIAS = "live"
"""Of functions that are released gradually: what answers requests."""


@dataclass(frozen=True)
class Environment:
    """``facts`` are those of ``stack.json``. Safe to share between threads."""

    facts: Mapping[str, Any]
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16, retries=False))

    @cached_property
    def cloud(self) -> Cloud:
        """Clients of its MiniStack, each of which has been opened."""
        cloud = Cloud(self.facts["aws_endpoint_url"])
        _ = (cloud.s3, cloud.functions, cloud.queues, cloud.dynamodb, cloud.metrics)
        return cloud

    # ---------------------------------------------------------- pictures

    def upload(self, key: str, body: bytes) -> None:
        """Put an upload."""
        self.cloud.s3.put_object(Bucket=self.facts["uploads_bucket"], Key=key, Body=body)

    def view(self, target: str, *, signed: bool = False) -> urllib3.BaseHTTPResponse:
        """What a viewer gets for a path and query, which is signed if asked for."""
        asked = sign_target(target, self.facts["signing_key"]) if signed else target
        return self._http.request("GET", self.facts["cdn_url"] + asked, redirect=False, timeout=60)

    def findings(self, key: str) -> dict[str, dict[str, Any]]:
        """What models found in a picture, by task; none where they have not looked yet."""
        told = self._asked(f"/findings?key={quote(key)}")
        return dict(told.get("findings", {}).get("tasks", {}))

    # ------------------------------------------------------------- watch

    def alarms(self) -> dict[str, dict[str, Any]]:
        """How alarms stand, by their names without the stack's."""
        return {strip_stack_name(alarm["name"]): alarm for alarm in self._asked("/watch/alarms")}

    def changes(self) -> list[dict[str, Any]]:
        """How alarms have changed, oldest first."""
        return [{**one, "name": strip_stack_name(one["name"])} for one in self._asked("/watch/alarms/history")]

    def pages(self) -> list[dict[str, Any]]:
        """Who was called, oldest first."""
        return [{**one, "name": strip_stack_name(one["name"])} for one in self._asked("/watch/alarms/pages")]

    def audit(self, limit: int = 200) -> list[dict[str, Any]]:
        """Entries of the audit log, newest first."""
        return AuditLog(S3Bucket(self.cloud.s3, self.facts["outputs"]["AuditBucketName"])).list_newest(limit, days=2)

    def minutes(self, figures: Sequence[MetricStat], begin_s: float, end_s: float) -> list[list[tuple[float, float]]]:
        """Figures by the minute."""
        read = CloudWatchMetrics(self.cloud.metrics).get_points(
            figures, begin_s=begin_s // 60 * 60, end_s=end_s, period_s=60
        )
        return [list(points) for points in read]

    # ------------------------------------------------------------ models

    def endpoint_state(self) -> str:
        """Whether the model server is ready."""
        return str(self._asked("/inference")["state"])

    def variants(self) -> dict[str, dict[str, Any]]:
        """The endpoint's, by name."""
        return {one["name"]: one for one in self._asked("/sagemaker")[ENDPOINT]}

    def weigh(self, weights: Mapping[str, object]) -> None:
        """Other weights, or other containers, for the endpoint's variants."""
        self._send("PUT", f"/sagemaker/{ENDPOINT}", {"weights": dict(weights)})

    def start_variant(self, name: str, models: str, weight: float) -> None:
        """Serve the models of a folder beside the others. It takes as long as loading them."""
        self._send("POST", f"/sagemaker/{ENDPOINT}/variants", {"name": name, "models": models, "weight": weight})

    @cached_property
    def registry(self) -> ModelRegistry:
        """The stack's model registry."""
        return ModelRegistry(
            create_client("sagemaker", environment(self.facts)), self.facts["outputs"]["ModelGroupName"]
        )

    @cached_property
    def samples(self) -> SampleStore:
        """The samples that are kept of what models saw."""
        return SampleStore(self.cloud.dynamodb, self.facts["index_table"])

    # --------------------------------------------------------- operating

    def switch(self, name: str) -> Switch:
        """How a switch stands."""
        return SwitchStore(S3Bucket(self.cloud.s3, self.facts["media_bucket"])).read(name)

    def function(self, logical_id: str) -> str:
        """A function's name."""
        return str(self.facts["functions"][logical_id]["name"])

    def redeploy(self, logical_id: str, variables: Mapping[str, str | None]) -> None:
        """Have a function run with other environment variables, None for none: what a deployment would do."""
        functions, name = self.cloud.functions, self.function(logical_id)
        now = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        wanted = {key: value for key, value in {**now, **variables}.items() if value is not None}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": wanted})
        aliases = [one["Name"] for one in functions.list_aliases(FunctionName=name)["Aliases"]]
        if ALIAS in aliases:
            version = functions.publish_version(FunctionName=name)["Version"]
            functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)

    def set(self, **settings: object) -> None:
        """Change settings, which functions read within a minute."""
        documents = of_facts(self.facts).documents
        current = documents.current()
        documents.write({**current.table, **settings}, replaces=current, by="gameday")

    def invoke(self, logical_id: str, event: object) -> Any:
        """What a function answers."""
        payload = json.dumps(event).encode()
        answer = self.cloud.functions.invoke(FunctionName=self.function(logical_id), Payload=payload)
        return json.loads(answer["Payload"].read() or b"null")

    def _asked(self, path: str) -> Any:
        return self._checked(self._http.request("GET", self.facts["control_url"] + path, timeout=60))

    def _send(self, method: str, path: str, document: object) -> Any:
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        url = self.facts["control_url"] + path
        return self._checked(self._http.request(method, url, body=body, headers=headers, timeout=300))

    @staticmethod
    def _checked(answer: urllib3.BaseHTTPResponse) -> Any:
        if answer.status != 200:
            raise OSError(f"{answer.status} {answer.data[:300]!r}")
        return json.loads(answer.data)


def strip_stack_name(name: str) -> str:
    """An alarm's name without the stack's."""
    return name.removeprefix(f"{STACK}-")
