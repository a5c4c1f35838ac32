"""What pictures are looked at for."""

from __future__ import annotations

import pytest

from darkroom.services.infer.tasks import tasks


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("faces", "text", "moderation", "similarity")),
        ({"TASKS": "text,faces"}, ("text", "faces")),
        ({"TASKS": "faces", "MODERATION_POLICY": "off"}, ("faces",)),
        ({"TASKS": "faces", "MODERATION_POLICY": "label"}, ("faces", "moderation")),
        ({"TASKS": "moderation,faces", "MODERATION_POLICY": "block"}, ("moderation", "faces")),
    ],
)
def test_a_policy_of_moderation_has_pictures_looked_at_for_it(
    environment: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert tasks(environment) == expected
