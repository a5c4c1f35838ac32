"""A mistake in dialects.toml or presets.toml stops the build of its layer."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from cli.settings.validation import validate
from darkroom.errors import Unavailable
from darkroom.plan import presets
from darkroom.plan.presets import Presets, read_presets_file
from darkroom.settings import InvalidSettings, Settings
from darkroom_dialects import settings_file
from darkroom_dialects.serving import handler
from darkroom_dialects.settings_file import load_settings, main, parse_settings, read_settings_file

LAYERS = Path(__file__).parents[2] / "layers"
MISTAKES = {
    "no TOML": "[imgproxy",
    "an unknown table": "[imgprox]\n",
    "an unknown setting": "[imgproxy]\nsignature = 5\n",
    "a wrong type": '[imgproxy]\nsignature_size = "32"\n',
    "a number out of range": "[imgproxy]\nsignature_size = 1\n",
    "a preset that is no text": "[imgproxy.presets]\nthumb = 5\n",
    "a preset with an unknown option": '[imgproxy.presets]\nthumb = "no-such-option:5"\n',
    "no table": "imgproxy = 5\n",
    "a source that is no address": '[sources]\n"images" = ""\n',
    "sources that are no table": "sources = 5\n",
    "a wrong word": '[thumbor]\nsmart = "eyes"\n',
}


@pytest.fixture(autouse=True)
def _forget() -> object:
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_fails_the_build_and_is_a_503_at_run_time(
    mistake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings_file, "read_settings_file", lambda: MISTAKES[mistake])
    assert main() == 1
    assert capsys.readouterr().err.startswith("dialects.toml or presets.toml: ")
    with pytest.raises(Unavailable):
        handler._load_settings()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_setting_is_refused_before_it_is_in_force(mistake: str) -> None:
    try:
        tables = tomllib.loads(MISTAKES[mistake])
    except tomllib.TOMLDecodeError:
        return
    with pytest.raises(InvalidSettings, match="dialects: "):
        validate({"dialects": tables})


def test_entries_of_the_setting_replace_and_precede_those_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[sources]\n"//a.example/" = "a/"\n"//b.example/" = "b/"\n[imgproxy.presets]\nthumb = "w:1"\nold = "w:2"\n'
    monkeypatch.setattr(settings_file, "read_settings_file", lambda: text)
    setting = {
        "sources": {"//a.example/new/": "new/", "//b.example/": False},
        "imgproxy": {"presets": {"thumb": "w:16", "wide": "w:99", "old": False}},
        "thumbor": {"respect_orientation": False},
    }
    found = handler._load_settings(validate({"dialects": setting}).dialects)
    assert found.sources.table == (("//a.example/new/", "new/"), ("//a.example/", "a/"))
    assert found.imgproxy.presets == {"thumb": "w:16", "wide": "w:99"}
    assert not found.thumbor.respect_orientation
    assert load_settings().imgproxy.presets == {"thumb": "w:1", "old": "w:2"}


def test_a_mistake_in_presets_fails_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        settings_file, "read_presets_file", lambda: read_presets_file() + '\n[presets.bad]\nw = "wide"\n'
    )
    assert main() == 1


def test_a_mistake_in_presets_is_a_503_at_run_time(monkeypatch: pytest.MonkeyPatch) -> None:
    presets.load_default_presets.cache_clear()
    monkeypatch.setattr(presets, "read_presets_file", lambda: '[presets.bad]\nw = "wide"\n')
    with pytest.raises(Unavailable):
        Settings().presets  # noqa: B018
    presets.load_default_presets.cache_clear()


def test_the_repositorys_own_files_are_right() -> None:
    assert (main(), presets.main()) == (0, 0)
    assert parse_settings(read_settings_file(), Presets({}, {})).imgproxy.presets


def test_a_mistake_in_presets_fails_the_build_of_the_layer_of_all_functions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(presets, "read_presets_file", lambda: '[presets.bad]\nw = "wide"\n')
    presets.load_default_presets.cache_clear()
    assert presets.main() == 1
    assert capsys.readouterr().err.startswith("presets.toml: ValueError: preset 'bad': w must be ")
    presets.load_default_presets.cache_clear()


@pytest.mark.parametrize(
    ("layer", "module"), [("darkroom", "darkroom.plan.presets"), ("dialects", "darkroom_dialects.settings_file")]
)
def test_the_build_depends_on_the_check(layer: str, module: str) -> None:
    text = (LAYERS / layer / "Makefile").read_text(encoding="utf-8")
    assert f"build-{layer.capitalize()}Layer: check-configuration\n" in text
    assert f"-m {module}\n" in text
