"""A local stack with every template, whose functions the tests run themselves, and the table of what they measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import local_stack
from extensions import list_extensions
from local.aws import Cloud
from tests.component.template.building import build_layer, find_layers
from tests.stack.conftest import start_stack, stop_stack

from .base_image import ARM64, X86_64, Processor
from .environment import Function
from .functions import Built, find_deployed
from .prepared import CONVERTED_FORMATS, make_events, put_objects

PREFIX = "execution-environment:"
"""Begins the name of the property that a report carries a row of the table in."""

PARAMETERS = ("InferenceMode=lambda", "Refine=on", CONVERTED_FORMATS)
"""Of a stack that has every function."""


STATE_DIR = "--state-dir"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The content of a running stack's ``stack.json``, its functions by logical id, and further events by name."""

    cloud: Cloud
    info: Mapping[str, Any]
    functions: Mapping[str, Function]
    events: Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session", params=[X86_64, ARM64], ids=lambda processor: processor.name)
def processor(request: pytest.FixtureRequest) -> Processor:
    return request.param


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option, which is known where this folder is named on the command line."""
    parser.addoption(STATE_DIR, help="use the stack that runs with this state, and has every template")


@pytest.fixture(scope="session")
def built(processor: Processor, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The layers that ``sam build`` made for the stack; those of another processor are built by the same makefiles."""
    if not processor.is_emulated:
        return Built()
    layers = tmp_path_factory.mktemp(processor.name)
    for logical_id in find_layers():
        (layers / logical_id).symlink_to(build_layer(logical_id, processor.name))
    return Built(layers)


@pytest.fixture(scope="session")
def info(
    processor: Processor, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Any]]:
    """Describe a local stack of all templates, a new one for each processor.

    Every call that a role denies to its function fails the last test.
    """
    if given := request.config.getoption(STATE_DIR, None):
        yield local_stack.read(Path(given))
        return
    parameters = [word for one in PARAMETERS for word in ("--parameter", one)]
    options = ["--no-watch", "--no-inference", *(f"--{one.flag}" for one in list_extensions()), *parameters]
    running = start_stack(tmp_path_factory.mktemp("execution"), *options)
    yield local_stack.read(running.state)
    assert stop_stack(running) == 0


@pytest.fixture(scope="session")
def deployed(info: Mapping[str, Any], built: Built, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    cloud = Cloud(info["aws_endpoint_url"])
    put_objects(cloud, info)
    further = {"AWS_ENDPOINT_URL": cloud.endpoint_url, "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"}
    functions = find_deployed(cloud, built, further, tmp_path_factory.mktemp("deployed") / "folders")
    return Deployed(cloud, info, functions, make_events(info))


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
