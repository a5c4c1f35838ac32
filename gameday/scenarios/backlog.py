"""Scenario: a queue's event source mapping is disabled."""

from __future__ import annotations

import json
from itertools import batched

from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun
from ..wait_for import wait_until

ALARM = "purge-age"
MESSAGES = 300
ALARM_WITHIN_S = 720.0
"""Limit until the alarm: messages count as too old after five minutes, and have to stay so for three."""

DRAINED_S = 240.0


class Backlog:
    """Purge messages queue up until the event source mapping is enabled again."""

    name = "backlog"
    title = "Queue backlog"
    after: tuple[tuple[str, Phase], ...] = ()

    def prepare(self, run: ScenarioRun) -> None:
        """Do nothing."""

    def inject(self, run: ScenarioRun) -> None:
        """Disable the mapping, and send MESSAGES messages."""
        run.environment.enable_consumers("purge", False)
        url = run.environment.info["queues"]["purge"]
        for numbers in batched(range(MESSAGES), 10, strict=True):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"key": f"gameday/purged-{number}.jpg", "pass": 1})}
                for number in numbers
            ]
            run.environment.cloud.queues.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
        run.mark("break", f"the purge queue's mapping is disabled, and {MESSAGES} messages are sent")

    def expect(self, run: ScenarioRun) -> None:
        """Wait for the alarm on the queue's age."""
        run.wait_for_alarm(ALARM, ALARM_WITHIN_S)

    def clear(self, run: ScenarioRun) -> None:
        """Enable the mapping with the runbook's command, which names the ingest queue."""
        run_runbook(
            run.environment,
            "queue-backlog",
            "update-event-source-mapping",
            replacements={"output Ingest": "output Purge"},
        )
        run.mark("clear", "the mapping is enabled by the runbook")

    def verify(self, run: ScenarioRun) -> None:
        """Verify that all messages are processed, none is in the DLQ, and the alarm is OK."""
        wait_until(lambda: not run.environment.count_messages("purge"), "the purge queue is empty", DRAINED_S)
        run.wait_for_ok(ALARM, DRAINED_S)
        run.record_fact("messages sent", MESSAGES)
        run.record_fact("messages in the DLQ", run.environment.count_messages("purge_dead_letters"))
