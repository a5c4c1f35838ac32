"""Bulk jobs on MiniStack, driven step by step as the state machine drives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import DarkroomError, Unfinished
from darkroom.image_keys import MASTERS
from darkroom.services.caching import CachePolicy
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.bulk.analyse import AnalyseOperation
from darkroom_pipeline.bulk.handler import BulkJobHandler
from darkroom_pipeline.bulk.ingest import IngestOperation
from darkroom_pipeline.bulk.job import BulkJob, parse_batches
from darkroom_pipeline.bulk.listing import JobKeys, Lister
from darkroom_pipeline.bulk.messages import Operation, parse_request
from darkroom_pipeline.bulk.presets import PresetsOperation
from darkroom_pipeline.bulk.report import Reporter
from darkroom_pipeline.bulk.worker import OperationHandler, Worker
from darkroom_pipeline.services.ingest.examine import UploadExaminer
from darkroom_pipeline.services.masters import Masters
from darkroom_pipeline.services.purge.stale_derivatives import DerivativePurge
from tests.component.services.ingest_environment import IngestEnvironment
from tests.component.services.purge_harness import lasting


class WouldWait(Exception):
    """A worker would have waited."""


def impatient(_: float) -> None:
    raise WouldWait


@dataclass
class BulkJobs:
    """Bulk jobs in ``env``, with a short form of the state machine."""

    env: IngestEnvironment
    operations: dict[Operation, OperationHandler] = field(default_factory=dict)

    @property
    def library(self) -> BulkJobHandler:
        env, observer = self.env, PowertoolsObserver("library")
        ignored: list[str] = []
        media, uploads = env.vault("media"), env.vault("uploads")
        intake = IngestOperation(uploads, media, MASTERS, env.index, env.queue("changes"), self._vault)
        masters = Masters(media, MASTERS, media)
        prints = PresetsOperation(
            source=media,
            source_names=MASTERS,
            media=media,
            examiner=UploadExaminer(env.limits, observer),
            presets=env.context.presets,
            always=env.always,
            purge=DerivativePurge(media, media),
            caching=CachePolicy(),
            mezzanines=env.mezzanines,
        )
        operations: dict[Operation, OperationHandler] = {
            Operation.INGEST: intake,
            Operation.INFER: AnalyseOperation(env.archive, masters, env.queue("published"), "1", lambda _: ("faces",)),
            Operation.PRESETS: prints,
        }
        return BulkJobHandler(
            media=media,
            lister=Lister(JobKeys(uploads, media, MASTERS, self._vault, ignored.append), 8, observer),
            worker=Worker(operations | self.operations, observer, sleep=impatient),
            reporter=Reporter(observer),
        )

    def _vault(self, bucket: str) -> Any:
        vault = self.env.vault("uploads")
        return type(vault)(self.env.clients["s3"], bucket)

    def run(self, name: str) -> BulkJob:
        return BulkJob(self.env.vault("media"), name)

    def step(self, action: str, name: str, order: Mapping[str, Any], remaining: Any = lasting, **more: Any) -> Any:
        event = json.loads(json.dumps({"action": action, "run": name, "order": order, **more}))
        return self.library.handle(parse_request(event), remaining)

    def listed(self, name: str, order: Mapping[str, Any], **more: Any) -> list[tuple[str, tuple[str, ...]]]:
        """List keys and return the batches."""
        answer = self.step("list", name, order, **more)
        text = self.env.body("media", answer["todo"]).decode()
        return [(batch.number, batch.keys) for batch in parse_batches(text)]

    def work(
        self, name: str, order: Mapping[str, Any], number: str, keys: Sequence[str], remaining: Any = lasting
    ) -> Any:
        return self.step("work", name, order, remaining, number=number, keys=list(keys))

    def all(self, name: str, order: Mapping[str, Any], **more: Any) -> dict[str, str]:
        """A whole run, each batch tried until it is through; outcome and reason by key."""
        for number, keys in self.listed(name, order, **more):
            for _ in range(12):
                try:
                    self.work(name, order, number, keys)
                except Unfinished:
                    continue
                except DarkroomError:
                    break
                break
        self.step("report", name, order)
        return self.reported(name)

    def reported(self, name: str) -> dict[str, str]:
        return {line["key"]: f"{line['outcome']} {line.get('reason', '')}".strip() for line in self.lines(name)}

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        for line in self.env.body("media", self.run(name).report_lines_key).splitlines():
            yield json.loads(line)
