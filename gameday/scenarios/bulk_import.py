"""Scenario: a bulk import fills the ingest queue, and urgent uploads arrive meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from statistics import median

from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import READY, Record

from ..images import USUAL, draw_image
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import require, wait_until

BULK, TOKENS = 300, 10
"""Number of imported images, and of uploads by tokens of each priority."""

WRITERS = 8
READY_WITHIN_S = 900.0
QUEUES = ("ingest", "ingest-priority")
PRIORITIES = ("urgent", "")


class BulkImport:
    """Urgent uploads are ready while the import still waits; ordinary ones of the same time wait behind it."""

    name = "bulk-import"
    title = "Bulk import"
    after: tuple[tuple[str, Phase], ...] = (("slow-endpoint", "verify"), ("canary", "verify"), ("backlog", "verify"))

    def __init__(self) -> None:
        self._sent_s: dict[str, float] = {}
        self._bulk: list[str] = []
        self._by_priority: dict[str, list[str]] = {priority: [] for priority in PRIORITIES}

    def prepare(self, run: ScenarioRun) -> None:
        """Upload one image of each priority, so that all functions have started."""
        for priority in PRIORITIES:
            self._post(run, priority)
        self._wait_until_ready(run, list(self._sent_s))
        for keys in self._by_priority.values():
            keys.clear()

    def inject(self, run: ScenarioRun) -> None:
        """Import images directly into the bucket, then upload some by tokens, in turn urgent and not."""
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda number: self._import(run, number), range(BULK)))
        run.mark("break", f"{BULK} images were imported")
        for _ in range(TOKENS):
            for priority in PRIORITIES:
                self._post(run, priority)
        run.mark("note", f"{TOKENS} urgent and {TOKENS} ordinary uploads by tokens")

    def expect(self, run: ScenarioRun) -> None:
        """Wait until the urgent uploads are ready, while images of the import wait."""
        self._wait_until_ready(run, self._by_priority["urgent"])
        left = BULK - len(self._list_ready(run, self._bulk))
        run.mark("alarm", f"the urgent uploads are ready, {left} imported images wait")
        run.record_fact("imported images that wait when the last urgent upload is ready", f"{left} of {BULK}")
        require(left > 0, "the import was over before the urgent uploads")

    def clear(self, run: ScenarioRun) -> None:
        """Wait until the queue is empty."""
        self._wait_until_ready(run, list(self._sent_s))
        run.mark("clear", "the import is ready")

    def verify(self, run: ScenarioRun) -> None:
        """Verify that each upload is ready, once, and none is in the DLQ; record the times."""
        waits = {
            "urgent uploads": self._waits_s(run, self._by_priority["urgent"]),
            "ordinary uploads of the same time": self._waits_s(run, self._by_priority[""]),
            "imported images": self._waits_s(run, self._bulk),
        }
        for name, seconds in waits.items():
            run.record_fact(
                f"{name}: time until ready", f"median {median(seconds):.1f} s, longest {max(seconds):.1f} s"
            )
        urgent, ordinary = waits["urgent uploads"], waits["ordinary uploads of the same time"]
        require(max(urgent) < min(ordinary), "an ordinary upload overtook an urgent one")
        dead = run.environment.count_messages("ingest_dead_letters")
        run.record_fact("messages in the DLQ", dead)
        require(dead == 0, f"{dead} messages are in the DLQ")

    def _import(self, run: ScenarioRun, number: int) -> None:
        image = draw_image(USUAL, f"bulk {run.begun_s}", number)
        key = f"gameday/bulk-{int(run.begun_s)}-{number}.{image.suffix}"
        self._bulk.append(key)
        self._sent_s[key] = time.time()
        run.environment.upload(key, image.body)

    def _post(self, run: ScenarioRun, priority: str) -> None:
        number = len(self._sent_s)
        image = draw_image(USUAL, f"token {run.begun_s}", number)
        key = f"gameday/{priority or 'ordinary'}-{int(run.begun_s)}-{number}.{image.suffix}"
        self._by_priority[priority].append(key)
        self._sent_s[key] = time.time()
        run.environment.post(key, image.body, priority=priority)

    def _waits_s(self, run: ScenarioRun, keys: Sequence[str]) -> list[float]:
        return [
            datetime.fromisoformat(record.updated_at).timestamp() - self._sent_s[key]
            for key, record in self._list_ready(run, keys).items()
        ]

    def _wait_until_ready(self, run: ScenarioRun, keys: Sequence[str]) -> None:
        wait_until(
            lambda: len(self._list_ready(run, keys)) == len(keys), f"{len(keys)} uploads are ready", READY_WITHIN_S
        )

    @staticmethod
    def _list_ready(run: ScenarioRun, keys: Sequence[str]) -> dict[str, Record]:
        found = Index(run.environment.cloud.dynamodb, run.environment.info["index_table"]).get_many(keys)
        return {key: record for key, record in found.items() if record.state == READY}
