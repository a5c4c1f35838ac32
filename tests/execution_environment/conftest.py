"""A local stack with every template, whose functions the tests run themselves, and the table of what they measured."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from local.further_stacks import FURTHER
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.operating import Operator

from .base_image import X86_64, Processor
from .environment import Function
from .functions import Built, find_deployed
from .prepared import SETTINGS, make_events, put_objects

PREFIX = "execution-environment:"
"""Begins the name of the property that a report carries a row of the table in."""

PARAMETERS = ("InferenceMode=lambda", "Refine=on")
"""Of a stack that has every function."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The running stack, its functions by logical id, and further events of each by name."""

    stack: Stack
    info: Mapping[str, Any]
    functions: Mapping[str, Function]
    events: Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session", params=[X86_64], ids=lambda processor: processor.name)
def processor(request: pytest.FixtureRequest) -> Processor:
    return request.param


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A local stack of all templates. Every call that a role denies to its function fails the last test."""
    importlib.import_module("tests.component.medical.conftest")  # pydicom, by which a file is made
    parameters = [word for one in PARAMETERS for word in ("--parameter", one)]
    options = ["--no-watch", "--no-inference", *(f"--{name}" for name in FURTHER), *parameters, *SETTINGS]
    running = start_stack(tmp_path_factory.mktemp("execution"), *options)
    yield running
    assert stop_stack(running) == 0


@pytest.fixture(scope="session")
def deployed(stack: Stack, processor: Processor, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    info = Operator(stack, tmp_path_factory.mktemp("operator")).info
    put_objects(stack.cloud, info)
    further = {"AWS_ENDPOINT_URL": stack.aws_endpoint_url, "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"}
    return Deployed(stack, info, find_deployed(stack.cloud, Built(), further), make_events(info))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table: each function with its processor, events, init phase and memory."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "nodeid")]
    rows = {
        tuple(value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PREFIX + "row"
    }
    if rows:
        terminalreporter.section("execution environment of Lambda")
        head = ("function", "processor", "events", "init ms", "MB", "of MB")
        for row in (head, *sorted(rows)):
            line = "  ".join(
                str(cell).ljust(width) if at < 2 else str(cell).rjust(width)
                for at, (cell, width) in enumerate(zip(row, (20, 9, 6, 7, 5, 5), strict=True))
            )
            terminalreporter.write_line(line)
