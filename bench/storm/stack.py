"""The stack that a storm meets, and what can be seen of it from behind the CDN."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from local.aws import Cloud
from tools import local_stack

from ..paths import ROOT
from .server_log import ANSWERED, LogEntry, read_log

CDN_PORT, AWS_PORT = 8403, 4883
FUNCTION = "TransformFunction"
LINES_WITHIN_S = 20.0
"""Lines that a busy machine's MiniStack did not wait for are collected every five seconds."""

DELETED_AT_ONCE = 1000


class RunningStack:
    """A running stack with these facts (``stack.json``)."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.url = str(facts["cdn_url"])
        self._facts = facts
        self._cloud = Cloud(facts["aws_endpoint_url"])
        self._http = urllib3.PoolManager(retries=False, timeout=60)

    @contextmanager
    def set(self, *, at_once: int, collapsing: bool) -> Iterator[None]:
        """With so many renders at a time reserved, and equal requests collapsed or not, while the context lasts."""
        name, functions = self._facts["functions"][FUNCTION]["name"], self._cloud.functions
        before = functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=at_once)
        try:
            self._control(f"/cdn/collapsing?on={int(collapsing)}")
            yield
        finally:
            self._control("/cdn/collapsing?on=1")
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)

    def forget(self) -> None:
        """Drop what an earlier run has left to be refined: it would be written a second time now."""
        self._cloud.queues.purge_queue(QueueUrl=self._facts["queues"]["refine"])

    def keep_versions(self) -> None:
        """From now on whatever is overwritten in the store is kept, so that each write can be counted."""
        media = self._facts["media_bucket"]
        self._cloud.s3.put_bucket_versioning(Bucket=media, VersioningConfiguration={"Status": "Enabled"})

    def hang(self, keys: Sequence[str], picture: bytes, prefix: str) -> None:
        """Have ``picture`` as the master of each of ``keys``, and nothing stored of any key with ``prefix``."""
        media = self._facts["media_bucket"]
        doomed = [{"Key": key, "VersionId": version} for key, version in self.versions(prefix)]
        for at in range(0, len(doomed), DELETED_AT_ONCE):
            part = doomed[at : at + DELETED_AT_ONCE]
            self._cloud.s3.delete_objects(Bucket=media, Delete={"Objects": part})  # type: ignore[typeddict-item]
        for key in keys:
            self._cloud.s3.put_object(Bucket=media, Key=f"masters/{key}", Body=picture)
        self._control("/cdn/restart")

    def versions(self, prefix: str) -> list[tuple[str, str]]:
        """What is stored of keys with ``prefix``: each key, and version if the bucket has them."""
        pages = self._cloud.s3.get_paginator("list_object_versions").paginate(
            Bucket=self._facts["media_bucket"], Prefix=f"derivatives/{prefix}"
        )
        return [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])]

    def told(self, prefix: str, since_s: float) -> list[LogEntry]:
        """All that the function answered about keys with ``prefix`` since then, by its log; raises TimeoutError."""
        deadline_s = time.monotonic() + LINES_WITHIN_S
        while True:
            found = [one for one in read_log(self._lines(since_s)) if one.path.startswith(f"/{prefix}")]
            if len(found) >= (answered := self._answered(prefix)):
                return found
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"The function's log has {len(found)} lines of {answered} answers")
            time.sleep(0.5)

    def _lines(self, since_s: float) -> Iterator[str]:
        group = self._facts["functions"][FUNCTION]["log_group"]
        pages = self._cloud.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(since_s * 1000), filterPattern=f'"{ANSWERED}"'
        )
        return (event["message"] for page in pages for event in page["events"])

    def _answered(self, prefix: str) -> int:
        """How often the CDN had an answer from the function that was not Lambda's refusal."""
        calls = self._http.request("GET", self._facts["control_url"] + "/journal").json()
        of = [call for call in calls if call["kind"] == "lambda" and call["path"].startswith(f"/{prefix}")]
        return sum(call["status"] != 429 for call in of)

    def _control(self, path: str) -> None:
        answer = self._http.request("POST", self._facts["control_url"] + path)
        if answer.status >= 300:
            raise OSError(f"{path}: {answer.status} {answer.data[:200]!r}")


@contextmanager
def start_stack(state: Path) -> Iterator[RunningStack]:
    """A stack of the bench's own while the context lasts; what it has deployed stays in ``state`` for the next time."""
    place = ["--state-dir", str(state)]
    ports = ["--port", str(CDN_PORT), "--aws-port", str(AWS_PORT)]
    try:
        _local("stop", *place)  # one that a broken-off run has left
        _local("up", *place, *ports, "--detach", "--no-watch", "--no-inference")
        yield RunningStack(local_stack.read(state))
    finally:
        _local("stop", *place)


def _local(*arguments: str) -> None:
    command = [sys.executable, "-m", "local", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}")
