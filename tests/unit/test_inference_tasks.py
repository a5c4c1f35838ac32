"""Tasks of models."""

from __future__ import annotations

import pytest

from darkroom.services.live_settings import configured_tasks
from darkroom.settings import Settings, parse_settings


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ("faces", "text", "moderation", "similarity", "tags", "likeness")),
        ({"tasks": ["text", "faces"]}, ("text", "faces")),
        ({"tasks": ["faces"], "moderation_policy": "off"}, ("faces",)),
        ({"tasks": ["faces"], "moderation_policy": "label"}, ("faces", "moderation")),
        ({"tasks": ["moderation", "faces"], "moderation_policy": "block"}, ("moderation", "faces")),
    ],
)
def test_moderation_is_added_where_the_policy_needs_it(document: dict[str, object], expected: tuple[str, ...]) -> None:
    assert configured_tasks(parse_settings(document)) == expected


def test_defaults() -> None:
    assert configured_tasks(Settings()) == ("faces", "text", "moderation", "similarity", "tags", "likeness")
