"""An operator's side of the stack: what is in its buckets, its index and its queues; its commands; the runbooks'."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.aws.index import Index
from darkroom.aws.record import Record
from local.aws import tool_environment
from local.place import ROOT
from tools import local_stack, runbooks

from .conftest import Stack

SETTLES_WITHIN_S = 90.0


@dataclass(frozen=True)
class Operator:
    """Somebody with the rights to everything in ``stack``, in whose ``folder`` the commands run."""

    stack: Stack
    folder: Path

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads((self.stack.state / "stack.json").read_text()))

    @property
    def index(self) -> Index:
        return Index(self.stack.cloud.dynamodb, self.facts["index_table"])

    def upload(self, key: str, body: bytes) -> None:
        """Put an upload, and wait until it is taken in."""
        s3, known = self.stack.cloud.s3, self.index.get(key)
        s3.put_object(Bucket=self.facts["uploads_bucket"], Key=key, Body=body)
        self.until(lambda: self._settled(key, known), f"{key} is ready")

    def _settled(self, key: str, before: Record | None) -> bool:
        record = self.index.get(key)
        return record is not None and record.done and (before is None or record.sequencer > before.sequencer)

    def delete(self, key: str) -> None:
        """Delete an upload."""
        self.stack.cloud.s3.delete_object(Bucket=self.facts["uploads_bucket"], Key=key)

    def state(self, key: str) -> str:
        """What the index says of a key."""
        record = self.index.get(key)
        return record.state if record is not None else ""

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Every version and delete marker in ``uploads_bucket``, ``media_bucket`` or ``quarantine_bucket``."""
        answer = self.stack.cloud.s3.list_object_versions(Bucket=self.facts[bucket], Prefix=prefix)
        return [one["Key"] for one in (*answer.get("Versions", []), *answer.get("DeleteMarkers", []))]

    def waiting(self, queue: str) -> int:
        """Messages of a queue, by its name among the facts, in whatever state."""
        answer = self.stack.cloud.queues.get_queue_attributes(
            QueueUrl=self.facts["queues"][queue], AttributeNames=["All"]
        )["Attributes"]
        return sum(int(answer[f"ApproximateNumberOfMessages{state}"]) for state in ("", "NotVisible", "Delayed"))  # type: ignore[call-overload]

    def forget_orders(self) -> None:
        """Empty the refine queue of what other tests' pictures left there: their fifteen minutes may end just now."""
        self.stack.cloud.queues.purge_queue(QueueUrl=self.facts["queues"]["refine"])

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until ``condition`` holds."""
        deadline_s = time.monotonic() + SETTLES_WITHIN_S
        while not condition():
            assert time.monotonic() < deadline_s, f"not so in time: {what}"
            time.sleep(0.2)

    def local(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m local``."""
        command = [sys.executable, "-m", "local", *arguments, "--state-dir", str(self.stack.state)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    def follow(self, runbook: str, *blocks: int) -> str:
        """Run the first block of a runbook, which defines things, and ``blocks``; what they print."""
        found = runbooks.commands(runbook.removesuffix(".md"))
        environment = tool_environment(self.stack.aws_endpoint_url) | local_stack.environment(self.facts)
        done = runbooks.run([found[number] for number in (0, *blocks)], environment, folder=self.folder, by="ada")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
