"""Generate the cards of docs/reference/model-cards.md from the tables of the models, their cards and licences.

``python -m tools.model_cards --measure [STATE]`` has the monitor of the running local stack evaluate the models on the
golden set, stores the results beside the cards, and writes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cli.models.fetch_models import ADDED, PLACES
from tools.generated_blocks import ROOT, Content, fill, table

MODELS, CARDS = ROOT / "endpoint" / "models.toml", ROOT / "endpoint" / "model_cards.toml"
FIGURES = ROOT / "endpoint" / "model_figures.json"
LICENCES = ROOT / "tools" / "licences.toml"
PAGE = ROOT / "docs" / "reference" / "model-cards.md"

type Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """What is known about a model. Lists have a sentence or a phrase for each entry."""

    title: str
    use: str
    not_for: list[str]
    architecture: str
    training_data: str
    training_data_licence: str
    evaluation: str
    limits: list[str]
    personal_data: str
    sources: list[str]


def read_cards(cards: Table, models: Sequence[Table]) -> dict[str, Card]:
    """Return the card of each model by its name. Models of several tasks share a card.

    ValueError for a model without a card, a card without a model, and a card with a missing, unknown or empty field.
    """
    names = list(dict.fromkeys(str(model["name"]) for model in models))
    if missing := sorted(set(names) - cards.keys()):
        raise ValueError(f"endpoint/model_cards.toml has no card for {', '.join(missing)}")
    if unknown := sorted(cards.keys() - set(names)):
        raise ValueError(f"endpoint/model_cards.toml has a card for {', '.join(unknown)}, which is no known model")
    return {name: _read_card(name, cards[name]) for name in names}


def _read_card(name: str, table: Table) -> Card:
    expected = {one.name: list if str(one.type).startswith("list") else str for one in fields(Card)}
    if table.keys() != expected.keys():
        raise ValueError(f"the card of {name} needs exactly {', '.join(expected)}")
    for field, kind in expected.items():
        value = table[field]
        parts = value if kind is list else [value]
        if not isinstance(value, kind) or not parts or not all(isinstance(one, str) and one.strip() for one in parts):
            raise ValueError(f"the card of {name}: {field} is empty or of the wrong type")
    return Card(**table)


def build_cards(models: Sequence[Table], cards: Mapping[str, Card], licences: Table, figures: Table) -> str:
    """Return the cards as Markdown. ``figures`` are those of :func:`measure`, empty if nothing was measured."""
    small = {artefact.name for artefact in PLACES["lambda"].artefacts}
    titles = {name: f"[{card.title}](#{_slug(card.title)})" for name, card in cards.items()}
    rows = ((model["task"], titles[model["name"]], model["version"]) for model in models)
    parts = [table(("task", "model", "version"), *rows).strip()]
    for name, card in cards.items():
        parts += _section([model for model in models if model["name"] == name], card, licences, figures, small)
    return "\n\n" + "\n\n".join(parts) + "\n\n"


def _section(models: Sequence[Table], card: Card, licences: Table, figures: Table, small: set[str]) -> Iterator[str]:
    yield f"## {card.title}"
    yield card.use
    yield table(("fact", ""), *_facts(models, licences, small)).strip()
    yield f"**Architecture.** {card.architecture}"
    yield "**Not for:**\n\n" + _list(card.not_for)
    yield f"**Training data.** {card.training_data}"
    yield f"**Licence of the training data.** {card.training_data_licence}"
    yield f"**Evaluation.** {card.evaluation}"
    yield f"**Measured here.** {_measured(models, figures)}"
    yield "**Limits:**\n\n" + _list(card.limits)
    yield f"**Personal data.** {card.personal_data}"
    yield "**Sources:** " + ", ".join(f"<{source}>" for source in card.sources)


def _facts(models: Sequence[Table], licences: Table, small: set[str]) -> Iterator[tuple[str, str]]:
    for model in models:
        yield "task, name in findings, version", f"{model['task']}, `{model['name']}`, {model['version']}"
    files = {file: (model, digest) for model in models for file, digest in model["sha256"].items()}
    yield "runs in", "endpoint, and the `infer` function" if files.keys() <= small else _place(models[0])
    for file, (model, digest) in files.items():
        licence = licences["models"][file]
        yield f"file `{file}`", f"SHA-256 `{digest}`"
        yield "its licence", licence["licence"]
        member = model.get("wheel", {}).get(file)
        yield "its source", f"{licence['by']}; file `{member}` of the wheel" if member else licence["by"]
    yield "input", ", ".join(f"{name} {value}" for name, value in models[0]["input"].items())
    for model in models:
        if thresholds := model.get("thresholds"):
            yield f"thresholds, {model['task']}", ", ".join(f"{name} {value}" for name, value in thresholds.items())


def _place(model: Table) -> str:
    command = model.get("command")
    return f"endpoint, with a folder of models that `darkroom {command}` made" if command else "endpoint"


def _measured(models: Sequence[Table], figures: Table) -> str:
    words = {"Precision": "precision", "Recall": "recall", "FalsePositiveRate": "false positives in images without any"}
    parts = []
    for model in models:
        task, found = model["task"], figures.get("tasks", {}).get(model["task"])
        if found and figures["versions"].get(task) == model["version"]:
            shares = ", ".join(f"{words[name]} {value:g} %" for name, value in found.items())
            parts.append(f"{shares} ({task}, {figures['labelled'][task]} images with labels for it)")
    if not parts:
        return "This version has not been evaluated on the golden set of the local stack."
    return (
        f"On the golden set of the local stack ([`local/golden.toml`](../../local/golden.toml)): {'; '.join(parts)}. "
        "So few images show gross faults only. `.venv/bin/python -m tools.model_cards --measure` repeats it on a "
        "running local stack."
    )


def _list(entries: Sequence[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)


def _slug(title: str) -> str:
    kept = "".join(one for one in title.lower() if one.isalnum() or one in " -_")
    return kept.replace(" ", "-")


def measure(state: Path) -> dict[str, Any]:
    """Return precision, recall and false positives in percent by task, and what was evaluated.

    The monitor of the running local stack in the folder ``state`` evaluates the variant ``main``. ValueError if none
    runs, or if the evaluation failed.
    """
    from cli import golden, local_stack
    from darkroom_analysis.mlops.golden_set import count_labelled
    from darkroom_pipeline.aws.s3 import S3Bucket
    from local.aws import Cloud

    info = local_stack.read(state)
    cloud = Cloud(info["aws_endpoint_url"])
    answer = cloud.functions.invoke(
        FunctionName=info["functions"]["MonitorFunction"]["name"], Payload=json.dumps({"watch": ["quality"]}).encode()
    )
    found = json.loads(answer["Payload"].read())["quality"].get("main")
    if not found or "answered" in found:
        raise ValueError(f"the evaluation failed: {found}")
    labelled = count_labelled(golden.shown(S3Bucket(cloud.s3, info["media_bucket"])))
    return {
        "tasks": found,
        "labelled": {task: labelled[task] for task in found},
        "versions": {model["task"]: model["version"] for model in _read_table(MODELS)},
    }


def read_models() -> list[Table]:
    """Return the models of the project, then those that a command adds, with its name as ``command``."""
    added = [model | {"command": name} for name, table in ADDED.items() for model in _read_table(table)]
    return [*_read_table(MODELS), *added]


def _read_table(table: Path) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = tomllib.loads(table.read_text(encoding="utf-8"))["model"]
    return models


def describe_models() -> str:
    """Return the cards as the present files make them. ValueError for an incomplete one."""
    models = read_models()
    cards = read_cards(tomllib.loads(CARDS.read_text(encoding="utf-8")), models)
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    return build_cards(models, cards, tomllib.loads(LICENCES.read_text(encoding="utf-8")), figures)


CONTENT: Content = {"cards": describe_models}
"""Content of the page's places."""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.model_cards", description="Evaluate the models.")
    parser.add_argument("--measure", nargs="?", type=Path, default=ROOT / ".local", metavar="STATE", help="local stack")
    try:
        FIGURES.write_text(json.dumps(measure(parser.parse_args().measure), indent=2) + "\n", encoding="utf-8")
    except ValueError as error:
        sys.exit(str(error))
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), CONTENT), encoding="utf-8")


if __name__ == "__main__":
    main()
