"""Regions that gravity keeps: lines of text and objects of a class."""

from __future__ import annotations

import pytest

from darkroom.errors import BadOption, NoInference
from darkroom.findings import (
    CLIENT,
    FACES,
    OBJECTS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Findings,
    Region,
    TextLine,
)
from darkroom.plan.geometry.detected import list_followed_regions, list_objects
from darkroom.plan.geometry.faces import move_window_to_regions
from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom.plan.geometry.placement import Box
from darkroom.plan.model import Gravity, Plan

CAR, DOG, OTHER_CAR = Region(0.1, 0.2, 0.2, 0.1), Region(0.5, 0.5, 0.1, 0.2), Region(0.7, 0.7, 0.2, 0.2)
SEEN = Finding(
    OBJECTS,
    "m",
    "1",
    objects=(DetectedObject("car", CAR, 0.9), DetectedObject("dog", DOG, 0.8), DetectedObject("car", OTHER_CAR, 0.7)),
    classes=("car", "dog", "plate"),
)
READ = Finding(
    TEXT,
    "m",
    "1",
    lines=(
        TextLine(((0.1, 0.1), (0.3, 0.2), (0.3, 0.3), (0.1, 0.2)), "slanted", 0.9),
        TextLine(((0.6, 0.6), (0.9, 0.6), (0.9, 0.7), (0.6, 0.7)), "", 0.2),
    ),
)
FACE = Finding(FACES, "m", "1", faces=(Face(CAR, 0.9),))


def findings(*found: Finding, pending: tuple[str, ...] = ()) -> Findings:
    return Findings("1", "etag", {one.task: one for one in found}, pending)


def followed(name: str, found: Findings | None, label: str = "") -> list[Region]:
    return list_followed_regions(Gravity(name, label=label), found)


def test_each_gravity_follows_its_findings() -> None:
    found = findings(SEEN, READ, FACE)
    assert followed("obj", found, "car") == [CAR, OTHER_CAR]
    assert followed("obj", found, "dog") == [DOG]
    assert followed("obj", found, "plate") == []
    assert followed("face", found) == [CAR]
    [line] = followed("text", found)
    assert line == pytest.approx((0.1, 0.1, 0.2, 0.2)), "the box of the line that was read"


@pytest.mark.parametrize(("name", "label"), [("face", ""), ("text", ""), ("obj", "car")])
def test_findings_that_may_follow_are_awaited(name: str, label: str) -> None:
    assert followed(name, None, label) == []
    assert followed(name, findings(pending=(FACES, TEXT, OBJECTS)), label) == []
    theirs = Finding(FACES, "client", "", CLIENT)
    assert followed("text", findings(theirs)) == followed("obj", findings(theirs), "car") == []
    unreadable = [Finding(task, "m", "1", error="unreadable") for task in (FACES, TEXT, OBJECTS)]
    assert followed(name, findings(*unreadable), label) == []


@pytest.mark.parametrize(("name", "task"), [("text", TEXT), ("obj", OBJECTS)])
def test_without_a_model_there_is_an_error(name: str, task: str) -> None:
    with pytest.raises(NoInference, match=f"no model for {task}"):
        followed(name, findings(FACE), "car")


def test_without_a_model_of_faces_there_are_no_faces() -> None:
    assert followed("face", findings(READ)) == []


@pytest.mark.parametrize("option", ["g", "redact"])
def test_a_class_that_is_not_detected_is_named(option: str) -> None:
    with pytest.raises(BadOption, match=f"{option}: .*'cars'.*car, dog, plate") as refusal:
        list_objects(SEEN, "cars", option)
    assert refusal.value.option == option


@pytest.mark.parametrize(
    ("gravity", "region", "expected"),
    [
        ("obj", Region(0.8, 0.4, 0.1, 0.2), Box(100, 0, 100, 100)),
        ("obj", Region(0.45, 0.4, 0.1, 0.2), Box(50, 0, 100, 100)),
        ("obj", Region(0.0, 0.0, 0.1, 0.1), Box(0, 0, 100, 100)),
        ("text", Region(0.6, 0.4, 0.38, 0.1), Box(100, 0, 100, 100)),
        ("text", Region(0.0, 0.4, 1.0, 0.1), Box(50, 0, 100, 100)),
    ],
)
def test_the_window_is_moved_to_the_region(gravity: str, region: Region, expected: Box) -> None:
    plan = Plan("k", width=100, height=100, fit="cover", gravity=Gravity(gravity, label="car"))
    geometry = compute_geometry(plan, Size(200, 100), 1)
    assert geometry.search == gravity
    moved = move_window_to_regions(geometry, [region], gravity)
    assert moved.window is not None
    assert moved.search == ""
    left, right = region.left * 200, (region.left + region.width) * 200
    if right - left <= 100:
        assert moved.window.left <= left
        assert right <= moved.window.left + 100
    assert abs(moved.window.left - expected.left) <= 15


def test_without_a_region_the_window_is_searched() -> None:
    plan = Plan("k", width=100, height=100, fit="cover", gravity=Gravity("text"))
    assert move_window_to_regions(compute_geometry(plan, Size(200, 100), 1), [], "text").search == "attention"
