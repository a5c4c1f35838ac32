"""Model cards: one for each model, complete, and on the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cli.models.cutout_model import PACKAGE
from cli.models.upscale_model import REQUIREMENT
from darkroom_analysis.mlops.quality_check import UNLIMITED
from local.paths import ROOT
from observability.model_tickets import quality_alarms
from tools.generated_blocks import fill
from tools.licences import models as licensed_models
from tools.model_cards import (
    CARDS,
    CONTENT,
    FIGURES,
    LICENCES,
    PAGE,
    build_cards,
    describe_models,
    read_cards,
    read_models,
)

MODEL = {
    "name": "finder",
    "task": "faces",
    "version": "2",
    "sha256": {"finder.onnx": "0a1b"},
    "wheel": {"finder.onnx": "finder/model.onnx"},
    "input": {"size": 640},
    "thresholds": {"score": 0.5},
}
CARD = {
    "title": "CenterFace 2.0",
    "use": "Finds.",
    "not_for": ["other things"],
    "architecture": "A network.",
    "training_data": "Images.",
    "training_data_licence": "CC0",
    "evaluation": "None.",
    "limits": ["It misses some."],
    "personal_data": "None.",
    "sources": ["https://example.org/finder"],
}
OF_FILE = {"models": {"finder.onnx": {"licence": "MIT", "by": "A. Author"}}}


def page(figures: dict[str, Any]) -> str:
    return build_cards([MODEL], read_cards({"finder": CARD}, [MODEL]), OF_FILE, figures)


def test_every_model_has_a_complete_card() -> None:
    models = read_models()
    cards = read_cards(tomllib.loads(CARDS.read_text()), models)
    assert set(cards) == {model["name"] for model in models}
    licences = tomllib.loads(LICENCES.read_text())["models"]
    for model in models:
        for file in model["sha256"]:
            assert licences[file]["licence"], file
    for card in cards.values():
        assert len(card.limits) >= 2, card.title
        assert all(source.startswith("https://") for source in card.sources), card.title


def test_models_that_a_command_adds_have_a_card_and_a_licence() -> None:
    text, licences = describe_models(), tomllib.loads(LICENCES.read_text())["models"]
    tables = {path.name for path in (ROOT / "endpoint").glob("*.toml") if "[[model]]" in path.read_text()}
    assert tables == {"models.toml", "cutout.toml", "upscale.toml"}
    for file, command, source in (
        ("isnet.onnx", "cutout-model", PACKAGE),
        ("realesrgan-x4plus.onnx", "upscale-model", REQUIREMENT.split()[0]),
    ):
        assert source in licences[file]["by"]
        assert f"| its source | {licences[file]['by']} |" in text
        assert f"| runs in | endpoint, with a folder of models that `darkroom {command}` made |" in text
        assert f"`{file}`" in [name for name, *_ in licensed_models()]


def test_the_page_is_as_generated() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, CONTENT) == page, "run `make docs`"


@pytest.mark.parametrize("field", CARD)
def test_a_card_without_a_field_is_refused(field: str) -> None:
    without = {name: value for name, value in CARD.items() if name != field}
    with pytest.raises(ValueError, match=f"the card of finder needs exactly .*{field}"):
        read_cards({"finder": without}, [MODEL])


@pytest.mark.parametrize(
    ("field", "value"), [("use", ""), ("use", " \n"), ("use", ["x"]), ("limits", []), ("limits", [""]), ("limits", "x")]
)
def test_an_empty_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"the card of finder: {field} is empty"):
        read_cards({"finder": CARD | {field: value}}, [MODEL])


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="needs exactly"):
        read_cards({"finder": CARD | {"author": "me"}}, [MODEL])


def test_models_and_cards_belong_together() -> None:
    with pytest.raises(ValueError, match="has no card for finder"):
        read_cards({}, [MODEL])
    with pytest.raises(ValueError, match="has a card for other"):
        read_cards({"finder": CARD, "other": CARD}, [MODEL])


def test_a_card_has_the_facts_of_its_model() -> None:
    text = page({})
    assert "| faces | [CenterFace 2.0](#centerface-20) | 2 |" in text
    assert "| thresholds, faces | score 0.5 |" in text
    for part in ("`0a1b`", "| its licence | MIT |", "A. Author; file `finder/model.onnx`", "size 640", "score 0.5"):
        assert part in text, part
    assert "This version has not been evaluated" in text


def test_a_network_with_two_tasks_has_one_card() -> None:
    other = MODEL | {"task": "likeness", "version": "3", "thresholds": {}}
    models = [MODEL, other]
    text = build_cards(models, read_cards({"finder": CARD}, models), OF_FILE, {})
    assert text.count("## CenterFace 2.0") == text.count("`0a1b`") == 1
    assert "| likeness | [CenterFace 2.0](#centerface-20) | 3 |" in text
    assert "| likeness, `finder`, 3 |" in text


def test_the_measured_figures_cause_no_alarm() -> None:
    """The local stack evaluates the same images, so that its alarms would be on from the first day."""
    limits = {
        alarm.metrics[0].metric: (alarm.comparison, alarm.threshold)
        for alarm in quality_alarms()
        if alarm.name.startswith("model-")
    }
    assert limits.keys() == {"Precision", "Recall", "FalsePositiveRate"}
    figures = json.loads(FIGURES.read_text())["tasks"]
    for task, found in figures.items():
        for metric, value in found.items():
            comparison, limit = limits[metric]
            allowed = (task, metric) in UNLIMITED or (value >= limit if comparison == "under" else value <= limit)
            assert allowed, (task, metric, value)


def test_figures_are_those_of_the_present_version() -> None:
    figures = {"tasks": {"faces": {"Recall": 90.5}}, "labelled": {"faces": 7}, "versions": {"faces": "2"}}
    assert "recall 90.5 % (faces, 7 images with labels for it)" in page(figures)
    assert "has not been evaluated" in page(figures | {"versions": {"faces": "1"}})


def test_without_a_stack_nothing_is_measured(tmp_path: Path) -> None:
    """In a process of its own: the command must find the package by itself."""
    command = [sys.executable, "-m", "tools.model_cards", "--measure", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert str(tmp_path) in done.stderr
