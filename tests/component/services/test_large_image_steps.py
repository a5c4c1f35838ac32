"""Requests of the scene function, and requests that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import BadRun, SceneRefused, Unavailable
from darkroom_pipeline.services.large_image.steps import ALL_STRIPS, StepAction, StepRequest, read_request

from .large_images import KEY, LargeImageEnvironment, scene_tiff

NAMED = {"scene": "s", "key": "a.tif", "version_id": "1"}


@pytest.fixture
def env(aws: Callable[[str], Any]) -> LargeImageEnvironment:
    return LargeImageEnvironment.with_machine(aws)


def test_requests_are_read() -> None:
    assert read_request({"action": "plan", **NAMED}) == StepRequest(StepAction.PLAN, "s", "a.tif", "1")
    assert read_request({"action": "cut", **NAMED, "strip": 7}).strip == 7
    assert read_request({"action": "cut", **NAMED}).strip == ALL_STRIPS
    stopped = {"Error": "States.Timeout", "Cause": "..."}
    assert read_request({"action": StepAction.REPORT, **NAMED, "stopped": stopped}).fault == "States.Timeout"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "paint", **NAMED},
        {"action": "cut", **NAMED, "strip": "0"},
        {"action": "cut", **NAMED, "strip": -2},
        {"action": "cut", **NAMED, "strip": True},
        {"action": "cut", **NAMED, "scene": ""},
        {"action": "cut", **NAMED, "key": 3},
        {"action": StepAction.REPORT, **NAMED, "stopped": "for no reason"},
        {"action": "cut", "scene": "s", "key": "a.tif"},
    ],
    ids=str,
)
def test_what_is_no_request_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(BadRun):
        read_request(event)


@pytest.mark.slow
def test_nothing_is_cut_or_bound_before_it_is_planned_or_there(env: LargeImageEnvironment) -> None:
    env.created(KEY, scene_tiff())
    cut = env.execution()
    for action in ("cut", "bind"):
        with pytest.raises(Unavailable):
            cut.step(action, strip=0)
    assert cut.step("plan") == cut.step("plan")
    cut.cut(0)
    with pytest.raises(Unavailable):
        cut.step("bind")


@pytest.mark.slow
def test_a_deleted_upload_is_no_fault(env: LargeImageEnvironment) -> None:
    env.created(KEY, scene_tiff())
    cut = env.execution()
    env.vault("uploads").delete(KEY)
    with pytest.raises(SceneRefused):
        cut.step("plan")
    assert cut.step(StepAction.REPORT, stopped={"Error": "SceneRefused"}) == {"code": "no-source", "fault": ""}
