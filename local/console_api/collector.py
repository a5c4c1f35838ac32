"""The local watch as a whole: what is counted, what is read, and what goes on beside requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from darkroom.aws.audit import AuditLog
from darkroom.aws.documents import DocumentStore
from darkroom.aws.findings_store import FindingsStore
from darkroom.aws.index import Index
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.sqs import Queue

from ..aws import Cloud
from ..paths import ENDPOINT
from ..stack_info import StackInfo
from .alarm_history import AlarmHistory
from .alarms import Alarms
from .api import Api
from .dashboards import Dashboards
from .declared_alarms import declared_alarms, deployed_at
from .failures import Failures
from .image_index import ImageIndex
from .logs import LogReader
from .publish_metrics import publish
from .read_metrics import MetricReader
from .service_metrics import ModelCounts, ViewerCounts
from .traces import Traces

LOOK_EVERY_S = 10.0
DEAD_LETTERS = "_dead_letters"


class Collector:
    """Watches one running stack. ``history`` is the file of what alarms have done."""

    def __init__(self, cloud: Cloud, facts: StackInfo, traces: Traces, history: Path) -> None:
        self._cloud = cloud
        self._deployment = ""
        self.viewers = ViewerCounts(facts.distribution_id)
        self.models = ModelCounts()
        figures, past = MetricReader(cloud.metrics), AlarmHistory(history)
        self.alarms = Alarms(figures, past, lambda: declared_alarms(cloud))
        traces.names = function_names(facts)
        lines = LogReader(cloud.logs, {one.log_group: traces.names[one.name] for one in facts.functions.values()})
        index, media = Index(cloud.dynamodb, facts.index_table), S3Bucket(cloud.s3, facts.media_bucket)
        dead = tuple(url for name, url in facts.queues.items() if name.endswith(DEAD_LETTERS))
        audit = facts.outputs.get("AuditBucketName")
        self._api = Api(
            boards=Dashboards(figures, panel_tokens(facts), traces.names),
            alarms=self.alarms,
            history=past,
            traces=traces,
            failed=Failures(cloud, facts.quarantine_bucket, dead, lines),
            lines=lines,
            catalogue=ImageIndex(
                cloud, facts.index_table, index, FindingsStore(media, DocumentStore(cloud.dynamodb, facts.index_table))
            ),
            quarantine=S3Bucket(cloud.s3, facts.quarantine_bucket),
            media=media,
            reviews=Queue(cloud.queues, facts.queues["review"]),
            audit=AuditLog(S3Bucket(cloud.s3, audit)) if audit else None,
        )

    def routes(self) -> list[web.RouteDef]:
        """What the console asks."""
        return self._api.routes()

    async def keep(self, report: Callable[[str], None]) -> None:
        """For ever: publish what is counted, and look at alarms."""
        async with asyncio.TaskGroup() as group:
            group.create_task(publish(self._cloud.metrics, (self.viewers, self.models), report))
            group.create_task(self._look(report))

    async def _look(self, report: Callable[[str], None]) -> None:
        told = ""
        while True:
            try:
                await asyncio.to_thread(self._once)
                told = ""
            except Exception as error:  # whatever it is, alarms are looked at again
                if told != (told := repr(error)):
                    report(f"alarms could not be evaluated: {told}")
            await asyncio.sleep(LOOK_EVERY_S)

    def _once(self) -> None:
        if (deployment := deployed_at(self._cloud)) != self._deployment:
            self.alarms.read()
            self._deployment = deployment
        self.alarms.look(time.time())


def function_names(facts: StackInfo) -> dict[str, str]:
    """What functions are called in figures and logs of their own, by the names that they have in Lambda."""
    return {one.name: logical_id.removesuffix("Function").lower() for logical_id, one in facts.functions.items()}


def panel_tokens(facts: StackInfo) -> dict[str, str]:
    """What the tokens of dashboards' panels stand for in this stack."""
    return {
        "namespace": f"Darkroom/{facts.stack_name}",
        "stack": facts.stack_name,
        "endpoint": ENDPOINT,
        "variant": "main" if facts.sagemaker_url else "in-process",
        **{logical_id: one.name for logical_id, one in facts.functions.items()},
    }
