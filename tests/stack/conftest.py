"""The whole stack as a process of the test session: on free ports, with its own state, built layers reused."""

from __future__ import annotations

import json
import os
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from local import isolated_stack
from local.aws import Cloud
from local.paths import ROOT
from tests.waiting import HANG_S
from tools import api_calls, api_requests

from .viewer import Viewer

DELIBERATE = {"arn:aws:secretsmanager:us-east-1:0:secret:none"}
"""Resources that tests make functions request without permission: a bad deployment."""


@dataclass(frozen=True)
class Stack:
    """A running stack: the content of its ``stack.json``, and operations of tests."""

    running: isolated_stack.IsolatedStack
    state: Path
    cdn_url: str
    control_url: str
    aws_endpoint_url: str
    region: str
    distribution_id: str
    media_bucket: str
    signing_key: str
    functions: dict[str, dict[str, str]]
    pids: dict[str, int]

    @cached_property
    def cloud(self) -> Cloud:
        """Clients of its MiniStack."""
        return Cloud(self.aws_endpoint_url)

    def viewer(self) -> Viewer:
        """Return a browser's side of it, with access behind the CDN."""
        return Viewer(
            cdn_url=self.cdn_url, s3=self.cloud.s3, media_bucket=self.media_bucket, signing_key=self.signing_key
        )

    def restart_cdn(self) -> None:
        """Empty the CDN's cache, as a restart does."""
        self._control("POST", "/cdn/restart")

    def refresh_cdn(self) -> None:
        """Make the CDN apply invalidations and deployments at once."""
        self._control("POST", "/cdn/refresh")

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """Every request that the CDN sent to an origin after the one with number ``after``, oldest first."""
        return list(json.loads(self._control("GET", f"/journal?after={after}")))

    def invocations(self) -> int:
        """How often the CDN called the transform function."""
        return sum(call["kind"] == "lambda" for call in self.journal())

    def _control(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(self.control_url + path, method=method)
        with urllib.request.urlopen(request, timeout=HANG_S) as answer:
            return bytes(answer.read())


def start_stack(state: Path, *options: str, root: Path = ROOT) -> Stack:
    """Start the stack of the checkout ``root`` on free ports, wait until it is ready."""
    running = isolated_stack.start(state, *options, root=root)
    info = {name: running.info[name] for name in Stack.__dataclass_fields__ if name in running.info}
    return Stack(running, state, **info)


def stop_stack(stack: Stack) -> int:
    """End a stack as Ctrl-C does; its exit status.

    Fails if a role did not allow what its function did, or if AWS's models exclude what the function sent. Warns of
    calls that are not in tests/cases/api-calls.json, by which tests/component/template/test_permissions.py checks the
    template; WRITE_API_CALLS=1 adds them. They are no failure: after a fault of the machine a function makes calls that
    it makes in no other run.
    """
    calls, denied = api_calls.recorded(stack.state) if stack.running.process.poll() is None else (set(), [])
    denied = [call for call in denied if call["resource"] not in DELIBERATE]
    requests = api_requests.read_requests(stack.state)
    refused = list(api_requests.find_refused(requests))
    if undocumented := api_requests.find_differences(requests) - api_requests.read_documented():
        warnings.warn(
            f"responses that differ from AWS's and are not in {api_requests.PAGE.name}: {undocumented}", stacklevel=2
        )
    status = stack.running.end()
    new = api_calls.missing_from(api_calls.read_table(), calls)
    if new and os.environ.get("WRITE_API_CALLS") == "1":
        api_calls.write_table(api_calls.merged([*api_calls.read_table(), *new]))
    elif new:
        warnings.warn(f"calls that are not in {api_calls.TABLE.name}, see WRITE_API_CALLS: {new}", stacklevel=2)
    assert denied == [], "these calls are denied by the role of the function"
    assert refused == [], "AWS refuses these requests"
    return status


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that all tests of this folder share, without inference.

    It is stopped when they end: it would take the processor from under other tests.
    """
    running = start_stack(tmp_path_factory.mktemp("stack"), "--no-watch", "--no-inference")
    yield running
    assert stop_stack(running) == 0


@pytest.fixture(scope="package")
def viewer(stack: Stack) -> Viewer:
    """A browser's side of it."""
    return stack.viewer()
