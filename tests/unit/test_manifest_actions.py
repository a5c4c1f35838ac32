"""The actions that a manifest states for a plan."""

from __future__ import annotations

from dataclasses import fields

import pytest

from darkroom.content_credentials.actions import ACTIONS, FURTHER_FIELDS, OPTIONS, PARTLY_BY_MODEL, list_actions
from darkroom.plan.canonical import parse_path
from darkroom.plan.model import Plan


def test_every_field_of_a_plan_is_an_action_or_none_of_its_own() -> None:
    of_actions = [field for listed in ACTIONS.values() for field in listed]
    assert len(set(of_actions)) == len(of_actions)
    assert set(of_actions) | FURTHER_FIELDS == {field.name for field in fields(Plan)}
    assert not FURTHER_FIELDS & set(of_actions)


@pytest.mark.parametrize(
    ("options", "actions"),
    [
        ("full.webp", []),
        ("w-300.webp", ["c2pa.resized"]),
        ("fit-cover_h-200_w-300.webp", ["c2pa.cropped", "c2pa.resized"]),
        ("h-200_w-300.webp", ["c2pa.resized"]),
        ("crop-0-0-10-10_fit-cover_h-200_w-300.webp", ["c2pa.cropped", "c2pa.resized"]),
        ("rot-90.webp", ["c2pa.orientation"]),
        ("gray-1.webp", ["c2pa.adjustedColor"]),
        ("blur-2_w-300.webp", ["c2pa.resized", "c2pa.filtered"]),
        ("bg-ff0000.jpeg", ["c2pa.edited"]),
        ("cr-1_q-80.jpeg", []),
    ],
)
def test_actions_are_those_of_the_plan_in_their_order(options: str, actions: list[str]) -> None:
    found = list_actions(parse_path(f"/a/_/{options}"))
    assert [action["action"] for action in found] == [*actions, "c2pa.transcoded"]
    assert found[-1]["parameters"] == {OPTIONS: options.rpartition(".")[0]}


def test_only_an_image_of_a_model_is_marked_as_such() -> None:
    plan = parse_path("/a/_/up-ai_w-300.webp")
    resampled, enlarged = list_actions(plan), list_actions(plan, is_upscaled=True)
    assert [set(action) for action in resampled] == [{"action"}, {"action", "parameters"}]
    assert enlarged == [resampled[0] | {"digitalSourceType": PARTLY_BY_MODEL}, resampled[1]]
