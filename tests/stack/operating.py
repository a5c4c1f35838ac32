"""Operator access to the stack: buckets, index, queues, commands and runbooks."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import runbooks
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import Record
from extensions import find_extension
from local.aws import tool_environment
from local.own_stack import stack_name
from local.paths import COMMAND, ROOT
from tests.waiting import HANG_S, wait_until

from .conftest import Stack

OTHER_ACCOUNT = tool_environment("http://127.0.0.1:9") | {
    "AWS_ACCESS_KEY_ID": "of-another-account",
    "AWS_SESSION_TOKEN": "of-another-account",
    "AWS_REGION": "eu-central-1",
    "DARKROOM_STACK": "darkroom",
}
"""A shell that is set up for a stack on AWS, in whose place nothing listens: commands must name the local stack."""


def fetch(url: str, token: str = "", accept: str = "*/*") -> Any:
    """Return the response to a GET, with a bearer token if one is given. Raises HTTPError."""
    headers = {"Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=HANG_S)


@dataclass(frozen=True)
class Operator:
    """An operator with all permissions in ``stack``; commands run in ``folder``."""

    stack: Stack
    folder: Path

    @property
    def info(self) -> dict[str, Any]:
        return dict(json.loads((self.stack.state / "stack.json").read_text()))

    @property
    def index(self) -> Index:
        return Index(self.stack.cloud.dynamodb, self.info["index_table"])

    def read_outputs(self, extension: str) -> dict[str, str]:
        """Return the outputs of the stack of an extension, by its name or flag."""
        return self.stack.cloud.read_outputs(stack_name(find_extension(extension).flag))

    def upload(self, key: str, body: bytes) -> None:
        """Put an upload, and wait until it is ingested."""
        s3, known = self.stack.cloud.s3, self.index.get(key)
        s3.put_object(Bucket=self.info["uploads_bucket"], Key=key, Body=body)
        wait_until(lambda: self._settled(key, known), f"{key} is ready")

    def _settled(self, key: str, before: Record | None) -> bool:
        record = self.index.get(key)
        return record is not None and record.done and (before is None or record.sequencer > before.sequencer)

    def delete(self, key: str) -> None:
        """Delete an upload."""
        self.stack.cloud.s3.delete_object(Bucket=self.info["uploads_bucket"], Key=key)

    def state(self, key: str) -> str:
        """Return the index record of a key."""
        record = self.index.get(key)
        return record.state if record is not None else ""

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Every version and delete marker in ``uploads_bucket``, ``media_bucket`` or ``quarantine_bucket``."""
        answer = self.stack.cloud.s3.list_object_versions(Bucket=self.info[bucket], Prefix=prefix)
        return [one["Key"] for one in (*answer.get("Versions", []), *answer.get("DeleteMarkers", []))]

    def waiting(self, queue: str) -> int:
        """Return the number of a queue's messages in any state. ``queue`` is its name in ``stack.json``."""
        return self._messages(queue, "", "NotVisible", "Delayed")

    def due(self, queue: str) -> int:
        """Return the number of a queue's messages that are being worked off or may be."""
        return self._messages(queue, "", "NotVisible")

    def _messages(self, queue: str, *states: str) -> int:
        answer = self.stack.cloud.queues.get_queue_attributes(
            QueueUrl=self.info["queues"][queue], AttributeNames=["All"]
        )["Attributes"]
        return sum(int(answer[f"ApproximateNumberOfMessages{state}"]) for state in states)  # type: ignore[call-overload]

    def forget_orders(self) -> None:
        """Delete messages of other tests from the refine queue: their fifteen minutes may end just now."""
        self.stack.cloud.queues.purge_queue(QueueUrl=self.info["queues"]["refine"])

    @contextmanager
    def paused_monitor(self) -> Iterator[None]:
        """Stop the monitor's schedule, and wait for its last run: its remedy redrives the DLQ by itself."""
        events, functions = self.stack.cloud.events, self.stack.cloud.functions
        name = self.info["functions"]["MonitorFunction"]["name"]
        rules = [rule["Name"] for rule in events.list_rules()["Rules"] if "ScheduleExpression" in rule]
        scheduled = [
            rule
            for rule in rules
            if any(name in target["Arn"] for target in events.list_targets_by_rule(Rule=rule)["Targets"])
        ]
        assert scheduled
        for rule in scheduled:
            events.disable_rule(Name=rule)
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        try:
            wait_until(lambda: self._runs_alone(name), "no other run of the monitor goes on")
            yield
        finally:
            functions.delete_function_concurrency(FunctionName=name)
            for rule in scheduled:
                events.enable_rule(Name=rule)

    def _runs_alone(self, monitor: str) -> bool:
        """Run the monitor, unless its one environment is busy with a run of before."""
        functions = self.stack.cloud.functions
        try:
            functions.invoke(FunctionName=monitor, Payload=json.dumps({"watch": ["cdn"]}))
        except functions.exceptions.TooManyRequestsException:
            return False
        return True

    def empty_dead_letters(self) -> None:
        """Delete the DLQ messages of other tests."""
        for name, url in self.info["queues"].items():
            if name.endswith("dead_letters"):
                self.stack.cloud.queues.purge_queue(QueueUrl=url)

    def darkroom(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``darkroom``."""
        command = [*COMMAND, *arguments, "--state-dir", str(self.stack.state)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    def follow(self, runbook: str, *blocks: int) -> str:
        """Run the first block of a runbook, which defines functions, and ``blocks``; return their output."""
        done = self.run_blocks(runbook, *blocks)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_blocks(self, runbook: str, *blocks: int) -> subprocess.CompletedProcess[str]:
        """Run the first block of a runbook and ``blocks``, which may fail."""
        here = runbooks.name_local_stack(self.info, self.stack.state)
        found = runbooks.list_blocks(runbooks.write_for(here, (runbooks.PAGES / runbook).read_text(encoding="utf-8")))
        return runbooks.run([found[number] for number in (0, *blocks)], OTHER_ACCOUNT, folder=self.folder, by="ada")
