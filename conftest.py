"""Fixtures of all tests, also of extensions: the image corpus, MiniStack on a free port, boto3 clients of it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from extensions import add_packages
from tests.corpus import CORPUS
from tests.ports import free_port
from tests.profiles import register_profiles

pytest_plugins = ["tests.extension_stack", "tests.purity", "tests.sampling", "tests.skips", "tests.tally"]

add_packages()
register_plugin(OVERLAYS)
register_profiles()

ORDER = (
    "tests/attacks/stack/",
    "tests/stack/isolated/",
    "tests/execution_environment/",
    "tests/stack/",
    "tests/attacks/",
    "tests/peers/",
    "tests/component/",
    "tests/tooling/",
    "extensions/",
    "tests/unit/",
)
"""Folders by the time that one scope of theirs takes, longest first, so that no worker ends with a long one."""


def is_of_extension_stack(nodeid: str) -> bool:
    """Return whether a test uses the stack with all extensions."""
    return nodeid.startswith("extensions/") and "/tests/stack/" in nodeid


class StackScheduling(LoadFileScheduling):
    """Give each worker whole files, and all files that share a stack to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/attacks/stack/"):
            return "tests/attacks/stack"
        if is_of_extension_stack(nodeid):
            return "extensions/stack"
        shared = nodeid.startswith("tests/stack/") and not nodeid.startswith("tests/stack/isolated/")
        return "tests/stack" if shared else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StackScheduling:
    """Replace the scheduler of pytest-xdist."""
    return StackScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort tests by :data:`ORDER`; mark as slow tests of the stack that are no smoke tests, attacks and comparisons."""
    for item in items:
        if item.nodeid.startswith("tests/stack/") and item.get_closest_marker("smoke") is None:
            item.add_marker(pytest.mark.slow)
        if item.nodeid.startswith(("tests/attacks/", "tests/peers/")) or is_of_extension_stack(item.nodeid):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: next((n for n, at in enumerate(ORDER) if item.nodeid.startswith(at)), len(ORDER)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, and have it skip the tests later: it took a tenth of the time of a run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of images that break image pipelines; a test that needs it is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}")
    return CORPUS


@pytest.fixture(scope="session")
def ministack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from local import tool_venvs
    from local.ministack import MiniStack
    from local.paths import Ports, StackPaths
    from local.progress import Progress

    asyncio.run(tool_venvs.ensure(Progress()))
    ports = Ports(cdn=free_port(), aws=free_port())
    ministack = MiniStack(StackPaths(tmp_path_factory.mktemp("ministack")), ports)
    asyncio.run(ministack.start())
    yield ports.aws_url
    asyncio.run(ministack.stop(grace_s=0))  # no test reads the state that it would take seconds to save


@pytest.fixture(scope="session")
def aws_environment(ministack_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": ministack_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@pytest.fixture(scope="session")
def aws(aws_environment: dict[str, str]) -> Callable[[str], Any]:
    """A boto3 client of the named service."""
    import boto3

    def client(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=aws_environment["AWS_ENDPOINT_URL"],
            region_name=aws_environment["AWS_REGION"],
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )

    return client
