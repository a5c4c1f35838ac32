"""One event of each function of template.yaml in Lambda's execution environment, from the layers of the shared stack.

All events of all templates: tests/execution_environment.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest

from cli import local_stack
from local.paths import STACK
from tests.execution_environment.base_image import X86_64
from tests.execution_environment.environment import Function, run_environment
from tests.execution_environment.functions import (
    BUILDS,
    Built,
    find_deployed,
    list_outcomes,
    read_events,
    summarise,
)
from tests.execution_environment.prepared import build_created, put_before, put_objects

from .conftest import Stack

PROGRAMS = ("bwrap", "mmdebstrap", f"{X86_64.triplet}-gcc")

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(X86_64.is_emulated, reason="layers of this machine are for another processor"),
    pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}"),
]

EVENTS = {
    "TransformFunction": "miss",
    "IngestFunction": "created, heic",
    "RefineFunction": "no-such-derivative",
    "PurgeFunction": "first-pass",
    "ExpediteFunction": "posted",
    "SweepFunction": "hourly",
    "PublishFunction": "delete",
    "PopularFunction": "too-long",
    "ForgetFunction": "no-key",
    "MonitorFunction": "no-such-watch",
    "UploadFunction": "no-token",
    "SimilarFunction": "no-token",
    "SceneFunction": "no-such-action",
    "LibraryFunction": "no-such-operation",
}
"""Events that change nothing for other tests of the stack, by function of template.yaml. The stack has no inference."""


@pytest.fixture(scope="module")
def functions(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Function]:
    further = {"AWS_ENDPOINT_URL": stack.aws_endpoint_url, "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"}
    copies = tmp_path_factory.mktemp("deployed") / "folders"
    return find_deployed(stack.cloud, Built(), further, copies, {STACK: BUILDS[STACK]})


def test_each_function_of_the_stack_has_an_event(functions: Mapping[str, Function]) -> None:
    assert set(functions) == set(EVENTS)


@pytest.mark.parametrize("logical_id", EVENTS)
def test_a_function_answers_an_event(stack: Stack, functions: Mapping[str, Function], logical_id: str) -> None:
    name, info = EVENTS[logical_id], local_stack.read(stack.state)
    events = read_events(logical_id) | put_before(stack.cloud, info, logical_id)
    if logical_id == "IngestFunction":  # the uploads of its other events are of tests/stack/test_ingest.py
        put_objects(stack.cloud, info, ["heic"])
        events[name] = build_created("heic")
    with run_environment(functions[logical_id], X86_64) as running:
        response = running.invoke(events[name])
        assert summarise(response) == list_outcomes(logical_id)[name], running.log()
