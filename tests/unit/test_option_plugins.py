"""Tests of the registry of plug-ins for options."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from darkroom.errors import BadOption
from darkroom.imaging.render.steps import run_plugins
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan import option_plugins
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.model import Plan
from darkroom.plan.option_plugins import find_file_plugin, list_plugin_files, register_plugin
from darkroom.plan.presets import parse_presets
from tests.images.steps import build_context, draw_noise

NOT_CANONICAL = "text:a,opacity:100"


@pytest.fixture
def unregistered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has registered no plug-in."""
    monkeypatch.setattr(option_plugins, "_PLUGINS", {})
    yield


def test_an_option_without_its_plugin_is_not_rendered(unregistered: None) -> None:
    context = build_context(draw_noise(8, 8, 3), overlays="text:a")
    with pytest.raises(BadOption, match="ov is not available here"):
        run_plugins(context)
    with pytest.raises(BadOption, match="ov is not available here"):
        list_plugin_files(context.plan)
    register_plugin(OVERLAYS)
    run_plugins(context)


def test_plans_without_the_option_need_no_plugin(unregistered: None) -> None:
    context = build_context(draw_noise(8, 8, 3))
    run_plugins(context)
    assert list_plugin_files(context.plan) == ()


def test_a_process_without_the_plugin_takes_the_text_as_it_is(unregistered: None) -> None:
    """Such as the purge function: settings that have presets with overlays stay valid there."""
    presets = parse_presets({"presets": {"badge": {"w": 300, "ov": NOT_CANONICAL}}})
    plan = presets.build_plans("a.jpg")["badge"]
    assert plan.overlays == NOT_CANONICAL
    path = canonical_path(Plan("a.jpg", overlays=NOT_CANONICAL))
    assert parse_path(path).overlays == NOT_CANONICAL
    register_plugin(OVERLAYS)
    with pytest.raises(BadOption, match="write it as 'text:a'"):
        parse_path(path)


def test_files_of_a_plugin_are_known_by_their_prefix(unregistered: None) -> None:
    assert find_file_plugin("overlays/a.png") is None
    register_plugin(OVERLAYS)
    assert find_file_plugin("overlays/a.png") is OVERLAYS
    assert find_file_plugin("logo") is None
