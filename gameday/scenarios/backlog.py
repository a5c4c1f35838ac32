"""A queue fills up: somebody has stopped those who fetch from it."""

from __future__ import annotations

import json
from itertools import batched

from darkroom.aws.cloudwatch import MetricStat

from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun, Shown
from ..wait_for import wait_until

ALARM = "purge-age"
MESSAGES = 300
OLD_S = 720.0
"""Within which the alarm has to ring: messages are too old after five minutes, and for three more."""

DRAINED_S = 240.0

_QUEUE = {"QueueName": "darkroom-purge"}


class Backlog:
    """Purges wait, for nobody fetches them, until the mapping is enabled again."""

    name = "backlog"
    title = "A queue fills up"
    after: tuple[tuple[str, Phase], ...] = ()
    shown = (
        Shown(
            "Oldest message of the purge queue",
            "s",
            {"age": MetricStat("AWS/SQS", "ApproximateAgeOfOldestMessage", _QUEUE, "Maximum")},
            300,
        ),
        Shown(
            "Messages that wait",
            "",
            {"waiting": MetricStat("AWS/SQS", "ApproximateNumberOfMessagesVisible", _QUEUE, "Maximum")},
        ),
    )

    def prepare(self, play: ScenarioRun) -> None:
        """Nothing."""

    def break_(self, play: ScenarioRun) -> None:
        """Disable the mapping, and send a few hundred messages."""
        for mapping in self._mappings(play):
            play.world.cloud.functions.update_event_source_mapping(UUID=mapping, Enabled=False)
        url = self._url(play)
        for numbers in batched(range(MESSAGES), 10, strict=True):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"key": f"gameday/purged-{number}.jpg", "pass": 1})}
                for number in numbers
            ]
            play.world.cloud.queues.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
        play.mark("break", f"nobody fetches from the purge queue, and {MESSAGES} messages come")

    def expect(self, play: ScenarioRun) -> None:
        """The alarm of the queue's age."""
        play.rings(ALARM, OLD_S)

    def clear(self, play: ScenarioRun) -> None:
        """The runbook enables what is stopped; it shows it for uploads."""
        run_runbook(
            play.world, "queue-backlog", "update-event-source-mapping", filled={"output Ingest": "output Purge"}
        )
        play.mark("clear", "the runbook has the mapping fetch again")

    def verify(self, play: ScenarioRun) -> None:
        """All is fetched, nothing is given up, and the alarm is over."""
        wait_until(lambda: not self._waiting(play), "the purge queue is empty", DRAINED_S)
        play.quiet(ALARM, DRAINED_S)
        play.fact("messages that were sent", MESSAGES)
        play.fact("dead letters", self._count(play, play.world.facts["queues"]["purge_dead_letters"]))

    def _mappings(self, play: ScenarioRun) -> list[str]:
        arn = play.world.cloud.queues.get_queue_attributes(QueueUrl=self._url(play), AttributeNames=["QueueArn"])
        found = play.world.cloud.functions.list_event_source_mappings(EventSourceArn=arn["Attributes"]["QueueArn"])
        return [one["UUID"] for one in found["EventSourceMappings"]]

    def _waiting(self, play: ScenarioRun) -> int:
        return self._count(play, self._url(play))

    @staticmethod
    def _url(play: ScenarioRun) -> str:
        return str(play.world.facts["queues"]["purge"])

    @staticmethod
    def _count(play: ScenarioRun, url: str) -> int:
        told = play.world.cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])
