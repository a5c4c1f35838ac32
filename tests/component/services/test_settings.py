"""What a deployment says of limits."""

from __future__ import annotations

from darkroom.plan.limits import Limits
from darkroom.services.settings import admission, limits


def test_what_is_not_said_is_as_usual() -> None:
    assert limits({}) == admission({}) == Limits()


def test_each_limit_has_its_variable() -> None:
    said = {
        "MAX_SOURCE_BYTES": "1",
        "MAX_SOURCE_PIXELS": "2",
        "MAX_SOURCE_FRAMES": "3",
        "MAX_SCENE_PIXELS": "4",
        "MAX_SCENE_BYTES": "5",
    }
    assert limits(said) == Limits(1, 2, 3)
    found = admission(said)
    assert found == Limits(1, 2, 3, 4, 5)
    assert found.of_scenes == Limits(5, 4, 3, 4, 5)
