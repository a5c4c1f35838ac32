"""The state machine for large images, in the template as SAM transforms it."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.errors import SceneRefused
from darkroom.image_keys import SCENES
from darkroom_pipeline.services.ingest.large_image import LEASE_S
from darkroom_pipeline.services.large_image.steps import StepAction, read_request

from .stack import Stack

FUNCTION = "<SceneFunction.Arn>"
GIVEN = {"scene": "s", "key": "a.tif", "version_id": "1", "strip": 3, "stopped": {"Error": "States.Timeout"}}


def definition() -> dict[str, Any]:
    return Stack().state_machine("SceneMachine")


def tasks() -> dict[str, dict[str, Any]]:
    """Every state that calls the function, by its name."""
    states = definition()["States"]
    inner = states["Cut"]["ItemProcessor"]["States"]
    return {name: one for name, one in (states | inner).items() if one["Type"] == "Task"}


def test_it_plans_cuts_assembles_and_always_reports() -> None:
    states = definition()["States"]
    assert [definition()["StartAt"], *(states[name]["Next"] for name in ("Plan", "Cut", "Bind"))] == [
        "Plan",
        "Cut",
        "Bind",
        "Tell",  # terms: allow
    ]
    for name in ("Plan", "Cut", "Bind"):
        [caught] = states[name]["Catch"]
        assert caught == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.stopped", "Next": "TellOfStop"}
    assert states["TellOfStop"]["Next"] == "Stopped"


def test_what_it_hands_on_is_what_the_function_reads() -> None:
    states = definition()["States"]
    handed = [states["Cut"]["ItemSelector"], *(one["Parameters"] for one in tasks().values() if "Parameters" in one)]
    actions = []
    for parameters in handed:
        names = {name.removesuffix(".$") for name in parameters} - {"action"}
        request = read_request({"action": parameters["action"], **{name: GIVEN[name] for name in names}})
        assert (request.image_id, request.key, request.version_id) == ("s", "a.tif", "1")
        actions.append(request.action)
    assert set(actions) == set(StepAction)


def test_a_strip_is_one_item_and_the_plan_sets_the_concurrency() -> None:
    cut = definition()["States"]["Cut"]
    assert (cut["ItemsPath"], cut["MaxConcurrencyPath"]) == ("$.strips", "$.concurrency")
    assert cut["ItemSelector"]["strip.$"] == "$$.Map.Item.Value"
    assert cut["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


@pytest.mark.parametrize("name", ["Plan", "Strip", "Bind", "Tell", "TellOfStop"])  # terms: allow
def test_every_step_is_tried_again_but_what_is_refused_is_not(name: str) -> None:
    task = tasks()[name]
    assert task["Resource"] == FUNCTION
    retries = {error: one["MaxAttempts"] for one in task["Retry"] for error in one["ErrorEquals"]}
    assert retries["States.ALL"] >= 4
    if not name.startswith("Tell"):  # terms: allow
        assert (retries[SceneRefused.__name__], next(iter(retries))) == (0, SceneRefused.__name__)


def test_times_are_longer_than_what_they_wait_for() -> None:
    timeout = int(Stack().properties("SceneFunction")["Timeout"])
    assert tasks()["Strip"]["TimeoutSeconds"] > timeout
    assert tasks()["Bind"]["TimeoutSeconds"] > timeout
    assert definition()["TimeoutSeconds"] < LEASE_S


def test_its_role_calls_one_function_and_starts_itself() -> None:
    [policy] = Stack().properties("SceneMachineRole")["Policies"]
    found = {statement["Sid"]: statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]}
    assert found["CallWorkers"] == FUNCTION
    assert found["StartChildren"].rpartition(":")[2] == Stack().properties("SceneMachine")["StateMachineName"]
    assert found.keys() == {"CallWorkers", "StartChildren", "FollowChildren"}


def test_undeleted_parts_expire() -> None:
    rules = Stack().properties("MediaBucket")["LifecycleConfiguration"]["Rules"]
    [rule] = [rule for rule in rules if rule.get("Prefix") == SCENES]
    assert rule["ExpirationInDays"] == 3
