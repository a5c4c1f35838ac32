"""The actions that a manifest states for a plan."""

from __future__ import annotations

from typing import get_args

import pytest

from darkroom.plan.canonical import parse_path
from darkroom.plan.options import OPTIONS_BY_SHORT, Effect
from darkroom_pipeline.content_credentials.actions import ACTIONS, OPTIONS, PARTLY_BY_MODEL, list_actions

EVERY_ACTION = [f"c2pa.{name}" for name in ("orientation", "cropped", "resized", "adjustedColor", "filtered", "edited")]


def test_every_effect_of_an_option_has_an_action() -> None:
    assert ACTIONS.keys() | {"none"} == set(get_args(Effect))
    assert {option.effect for option in OPTIONS_BY_SHORT.values()} == set(get_args(Effect))


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
        ("pad-1-1-1-1.webp", ["c2pa.resized"]),
        ("blur-2_bri-5_crop-0-0-10-10_rot-90_w-300_wm-a-southeast-100-25.webp", EVERY_ACTION),
        ("gray-1_minw-20_pix-4.webp", ["c2pa.resized", "c2pa.adjustedColor", "c2pa.filtered"]),
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
