"""Limits on the concurrent work that unsigned requests can cause."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from local.deploy import RENDER_CONCURRENCY
from local.paths import STACK

from .conftest import Stack
from .isolated.test_lifecycle import family
from .viewer import Viewer

EVERY_S = 0.05


@contextmanager
def watching_workers(pid: int, function: str) -> Iterator[list[int]]:
    """Sample the number of processes below ``pid`` that run ``function``."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY_S):
            seen.append(len(family(pid) & running(function)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def running(function: str) -> set[int]:
    """The processes that were started as an environment of ``function``."""
    command = ["ps", "axeww", "-o", "pid=,command="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {int(line.split()[0]) for line in listed if f"AWS_LAMBDA_FUNCTION_NAME={function} " in f"{line} "}


def test_the_function_has_the_reserved_concurrency_of_the_template(stack: Stack) -> None:
    name = stack.functions["TransformFunction"]["name"]
    found = stack.cloud.functions.get_function_concurrency(FunctionName=name)
    deployed = stack.cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]
    parameters = {given["ParameterKey"]: given["ParameterValue"] for given in deployed}
    assert found["ReservedConcurrentExecutions"] == int(parameters["ReservedConcurrency"]) == RENDER_CONCURRENCY


def test_random_missing_keys_never_exceed_the_reserved_concurrency(stack: Stack, viewer: Viewer) -> None:
    """Three times as many concurrent viewers; ``DARKROOM_MISSING_KEYS`` is the number of keys."""
    count = int(os.environ.get("DARKROOM_MISSING_KEYS", "2000"))
    name = stack.functions["TransformFunction"]["name"]
    with watching_workers(stack.pids["ministack"], name) as workers, ThreadPoolExecutor(3 * RENDER_CONCURRENCY) as pool:
        statuses = Counter(pool.map(lambda number: viewer.get(f"/missing/{number}.jpg?w=320").status, range(count)))
    assert statuses.keys() <= {404, 429, 503}
    assert statuses[404] > 0
    assert 0 < max(workers) <= RENDER_CONCURRENCY
