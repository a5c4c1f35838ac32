"""Tasks of models."""

from __future__ import annotations

import pytest

from darkroom.services.live_settings import build_task_rules
from darkroom.settings import InvalidSettings, Settings, parse_settings


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
    assert build_task_rules(parse_settings(document)).list_all() == expected


def test_defaults() -> None:
    assert build_task_rules(Settings()).list_all() == ("faces", "text", "moderation", "similarity", "tags", "likeness")


BY_PREFIX = {
    "tasks": ["similarity"],
    "tasks_by_prefix": {"catalogue/": ["tags"], "catalogue/people/": ["faces", "tags"], "docs/": ["tags"]},
    "always_redact": {"docs/": "text,plate", "letters/": "text"},
    "cutout_prefixes": ["catalogue/"],
}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.jpg", ("similarity",)),
        ("catalogue/a.jpg", ("tags", "cutout")),
        ("catalogue/people/a.jpg", ("faces", "tags", "cutout")),
        ("docs/a.jpg", ("tags", "objects", "text")),
        ("letters/a.jpg", ("similarity", "text")),
    ],
)
def test_the_longest_prefix_replaces_the_tasks(key: str, expected: tuple[str, ...]) -> None:
    """What is redacted is always a task: without findings no image would be served."""
    assert build_task_rules(parse_settings(BY_PREFIX)).list_for(key) == expected


def test_models_of_all_prefixes_are_needed() -> None:
    rules = build_task_rules(parse_settings(BY_PREFIX | {"moderation_policy": "label"}))
    assert rules.list_all() == ("similarity", "faces", "tags", "moderation", "text", "objects")
    assert rules.list_for("docs/a.jpg") == ("tags", "moderation", "objects", "text")


@pytest.mark.parametrize("table", [{"": []}, {"a/": ["cats"]}, {"a/": "faces"}, ["faces"], {"a/": ["faces", "faces"]}])
def test_a_table_without_tasks_is_refused(table: object) -> None:
    with pytest.raises(InvalidSettings, match="tasks_by_prefix: must be a table"):
        parse_settings({"tasks_by_prefix": table})
