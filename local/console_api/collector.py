"""Monitoring of the local stack: metric publishing, alarm evaluation and the console's API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from cli.deployment import find_masters
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.s3 import S3Bucket

from ..aws import Cloud
from ..paths import ENDPOINT
from ..stack_info import StackInfo
from .alarm_history import AlarmHistory
from .alarms import Alarms
from .api import Api
from .dashboards import Dashboards
from .declared_alarms import read_declared_alarms, read_deployment
from .edge_errors import EdgeErrors
from .failures import Failures
from .image_index import ImageIndex
from .logs import LogReader
from .publish_metrics import publish
from .read_metrics import MetricReader
from .service_metrics import ModelCounts, ViewerCounts
from .traces import Traces

EVALUATE_EVERY_S = 10.0
DEAD_LETTERS = "_dead_letters"


class Collector:
    """Monitors one running stack. ``history`` is the file of the alarms' history."""

    def __init__(self, cloud: Cloud, info: StackInfo, traces: Traces, history: Path) -> None:
        self._cloud = cloud
        self._deployment = ""
        self.viewers = ViewerCounts(info.distribution_id)
        self.models = ModelCounts()
        self.edge = EdgeErrors()
        figures, past = MetricReader(cloud.metrics), AlarmHistory(history)
        self.alarms = Alarms(figures, past, lambda: read_declared_alarms(cloud))
        traces.names = function_names(info)
        lines = LogReader(cloud.logs, {one.log_group: traces.names[one.name] for one in info.functions.values()})
        index, media = Index(cloud.dynamodb, info.index_table), S3Bucket(cloud.s3, info.media_bucket)
        masters, names = find_masters(cloud.s3, info.outputs["MastersUri"], info.media_bucket)
        dead = tuple(url for name, url in info.queues.items() if name.endswith(DEAD_LETTERS))
        self._api = Api(
            boards=Dashboards(figures, panel_tokens(info), traces.names),
            alarms=self.alarms,
            history=past,
            traces=traces,
            failed=Failures(cloud, info.quarantine_bucket, dead, lines, self.edge),
            lines=lines,
            catalogue=ImageIndex(
                cloud,
                info.index_table,
                index,
                FindingsStore(media, DocumentStore(cloud.dynamodb, info.index_table)),
                None if masters.bucket == info.media_bucket else (masters, names),
            ),
            quarantine=S3Bucket(cloud.s3, info.quarantine_bucket),
        )

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the console's API."""
        return self._api.routes()

    async def run(self, report: Callable[[str], None]) -> None:
        """Publish metrics and evaluate alarms until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(publish(self._cloud.metrics, (self.viewers, self.models), report))
            group.create_task(self._evaluate_alarms(report))

    async def _evaluate_alarms(self, report: Callable[[str], None]) -> None:
        reported = ""
        while True:
            try:
                await asyncio.to_thread(self._evaluate_once)
                reported = ""
            except Exception as error:  # the next evaluation may succeed
                if reported != (reported := repr(error)):
                    report(f"alarm evaluation failed: {reported}")
            await asyncio.sleep(EVALUATE_EVERY_S)

    def _evaluate_once(self) -> None:
        if (deployment := read_deployment(self._cloud)) != self._deployment:
            self.alarms.load_declared()
            self._deployment = deployment
        self.alarms.evaluate_all(time.time())


def function_names(info: StackInfo) -> dict[str, str]:
    """Map names of functions in Lambda to their names in metrics and logs."""
    return {one.name: logical_id.removesuffix("Function").lower() for logical_id, one in info.functions.items()}


def panel_tokens(info: StackInfo) -> dict[str, str]:
    """Return the values of the tokens in dashboard panels for this stack."""
    return {
        "namespace": f"Darkroom/{info.stack_name}",
        "stack": info.stack_name,
        "endpoint": ENDPOINT,
        "variant": "main" if info.sagemaker_url else "in-process",
        **{logical_id: one.name for logical_id, one in info.functions.items()},
    }
