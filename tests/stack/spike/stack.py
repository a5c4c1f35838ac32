"""The stack under a traffic spike, observed from behind the CDN."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import urllib3

from local.aws import Cloud

from .server_log import ANSWERED, LogEntry, read_log

FUNCTION = "TransformFunction"
LINES_WITHIN_S = 20.0
"""Limit for log lines: MiniStack collects the remaining ones every five seconds."""

DELETED_AT_ONCE = 1000


class RunningStack:
    """A running stack with the facts of ``stack.json``."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.url = str(facts["cdn_url"])
        self._facts = facts
        self._cloud = Cloud(facts["aws_endpoint_url"])
        self._http = urllib3.PoolManager(retries=False, timeout=60)

    @contextmanager
    def set(self, *, concurrency: int, collapsing: bool) -> Iterator[None]:
        """Reserve ``concurrency`` renders, and enable or disable collapsing, while the context is open."""
        name, functions = self._facts["functions"][FUNCTION]["name"], self._cloud.functions
        before = functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=concurrency)
        try:
            self._control(f"/cdn/collapsing?on={int(collapsing)}")
            yield
        finally:
            self._control("/cdn/collapsing?on=1")
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)

    def store_masters(self, keys: Sequence[str], image: bytes, prefix: str) -> None:
        """Store ``image`` as the master of ``keys``, and delete derivatives of keys with ``prefix``."""
        media = self._facts["media_bucket"]
        doomed = [{"Key": key, "VersionId": version} for key, version in self.versions(prefix)]
        for at in range(0, len(doomed), DELETED_AT_ONCE):
            part = doomed[at : at + DELETED_AT_ONCE]
            self._cloud.s3.delete_objects(Bucket=media, Delete={"Objects": part})  # type: ignore[typeddict-item]
        for key in keys:
            self._cloud.s3.put_object(Bucket=media, Key=f"masters/{key}", Body=image)
        self._control("/cdn/restart")

    def versions(self, prefix: str) -> list[tuple[str, str]]:
        """List stored derivatives of keys with ``prefix``: key, and version if the bucket is versioned."""
        pages = self._cloud.s3.get_paginator("list_object_versions").paginate(
            Bucket=self._facts["media_bucket"], Prefix=f"derivatives/{prefix}"
        )
        return [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])]

    def entries(self, prefix: str, since_s: float) -> list[LogEntry]:
        """Read the function's log entries about keys with ``prefix`` since then. Raises TimeoutError."""
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
        """Count the CDN's responses from the function, except Lambda's refusals."""
        calls = self._http.request("GET", self._facts["control_url"] + "/journal").json()
        of = [call for call in calls if call["kind"] == "lambda" and call["path"].startswith(f"/{prefix}")]
        return sum(call["status"] != 429 for call in of)

    def _control(self, path: str) -> None:
        answer = self._http.request("POST", self._facts["control_url"] + path)
        if answer.status >= 300:
            raise OSError(f"{path}: {answer.status} {answer.data[:200]!r}")
