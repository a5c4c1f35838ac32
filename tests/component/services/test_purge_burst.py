"""A burst of overwrites at CloudFront's limit, with Lambda's loop detection: no purge is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from darkroom_pipeline.services.purge.consumer import cdn_paths
from local import tool_venvs
from local.emulation.invalidations import SECONDS
from local.emulation.recursion import MAX_INVOCATIONS
from local.ministack import MiniStack
from local.paths import Ports, StackPaths
from local.progress import Progress
from tests.ports import free_port
from tests.waiting import wait_until

from .burst import Burst

WITHIN_S = 1800.0
"""A hang, of 500 keys: some 10,000 messages, and a thousand wildcards of which 14 are in progress at a time."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """That of a MiniStack where an invalidation is in progress for a moment."""
    asyncio.run(tool_venvs.ensure(Progress()))
    ports = Ports(cdn=free_port(), aws=free_port())
    ministack = MiniStack(StackPaths(tmp_path_factory.mktemp("burst")), ports, {SECONDS: "1"})
    asyncio.run(ministack.start())
    yield {
        "AWS_ENDPOINT_URL": ports.aws_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    asyncio.run(ministack.stop())


def defer(burst: Burst, keys: list[str]) -> None:
    """Overwrite ``keys`` while the quota is full, until each has waited more often than Lambda lets a chain run."""
    most = (MAX_INVOCATIONS + 2) * len(keys)

    def have_waited() -> bool:
        if burst.deferrals() >= most or burst.dropped():
            return True
        if not burst.waiting(burst.queue):
            burst.overwrite(keys)  # all were purged when an invalidation ended, before the quota was full again
        return False

    with burst.full_quota():
        burst.overwrite(keys)
        wait_until(have_waited, "purges wait", WITHIN_S, every_s=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_every_overwrite_of_a_burst_is_invalidated_in_the_end(environment: dict[str, str], count: int) -> None:
    burst, keys = Burst.build(environment, "Allow"), [f"burst/{number}.jpg" for number in range(count)]
    defer(burst, keys)
    wait_until(lambda: not burst.waiting(burst.queue), "the queue is empty", WITHIN_S, every_s=0.5)
    assert (burst.waiting(burst.dead), burst.dropped()) == (0, 0)
    purged = Counter(burst.invalidated())
    assert set(purged) == {path for key in keys for path in cdn_paths(key)}
    assert min(purged.values()) >= 2  # both passes


@pytest.mark.slow
def test_without_the_setting_lambda_stops_the_purges_into_the_dlq(environment: dict[str, str]) -> None:
    burst, keys = Burst.build(environment, "Terminate"), [f"burst/{number}.jpg" for number in range(10)]
    defer(burst, keys)
    assert burst.dropped() > 0
    wait_until(lambda: not burst.waiting(burst.queue), "the queue is empty", WITHIN_S, every_s=0.5)
    assert burst.waiting(burst.dead) > 0
