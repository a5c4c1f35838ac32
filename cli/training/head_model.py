"""Write a folder of models with a trained head: its own network, and links to all other models.

The network keeps what it had: the score of a known tag is the sum of its classes' probabilities, and the embedding is
the same. Scores of trained tags follow those of the classes in one output.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cli.models.model_folders import TABLE, link_files, table_of
from cli.settings.files import format_string
from darkroom.findings import LIKENESS, TAGS
from darkroom_analysis.models.catalogue import ModelCatalogue, ModelSpec, load_catalogue, parse_catalogue
from darkroom_analysis.models.onnx_model import LABELS

from .head import Head

LOGITS, EMBEDDING, SCORES = "logits", "embedding", "scores"
"""Outputs: those of the network that is shipped, and the one that replaces its logits."""


def network_of(models: Path) -> tuple[ModelCatalogue, ModelSpec]:
    """Return the table of ``models`` and its model of tags. Raises ValueError if a head cannot be added to it."""
    catalogue = load_catalogue(table_of(models))
    tags, likeness = catalogue.get(TAGS), catalogue.get(LIKENESS)
    if (tags.output, likeness.output, tags.network) != (LOGITS, EMBEDDING, likeness.network):
        raise ValueError(
            f"{table_of(models)}: tags and likeness are not the outputs {LOGITS} and {EMBEDDING} of one network. "
            "Train from the models of the project, not from trained ones."
        )
    return catalogue, tags


def known_tags(network: bytes) -> list[str]:
    """Return the tags that the classes of a network have."""
    return sorted({tag for line in _labels(onnx.load_model_from_string(network)) for tag in line.split("\t")} - {""})


def add_head(network: bytes, head: Head) -> bytes:
    """Return ``network`` with the scores of its classes and of ``head``, and with the labels of both.

    A trained tag replaces a known one of its name.
    """
    model = onnx.load_model_from_string(network)
    graph, width = model.graph, head.weights.shape[1]
    for name, value in (("head.weights", head.weights), ("head.biases", head.biases)):
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), name))
    graph.node.extend(
        [
            helper.make_node("Softmax", [LOGITS], ["class.scores"], axis=1),
            helper.make_node("LpNormalization", [EMBEDDING], ["embedding.unit"], axis=1, p=2),
            helper.make_node("Gemm", ["embedding.unit", "head.weights", "head.biases"], ["head.logits"], transB=1),
            helper.make_node("Sigmoid", ["head.logits"], ["head.scores"]),
            helper.make_node("Concat", ["class.scores", "head.scores"], [SCORES], axis=1),
        ]
    )
    lines = [_without(line, head.tags) for line in _labels(model)] + list(head.tags)
    del graph.output[:]
    for name, size in ((SCORES, len(lines)), (EMBEDDING, width)):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]))
    helper.set_model_props(model, {LABELS: "".join(f"{line}\n" for line in lines)})
    onnx.checker.check_model(model)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def write_models(models: Path, folder: Path, head: Head) -> ModelSpec:
    """Write the models of ``models`` with ``head`` into ``folder``; return the new model of tags.

    Raises OSError, and ValueError for models that a head cannot be added to, before anything is written.
    """
    catalogue, tags = network_of(models)
    network = add_head((models / tags.artefact).read_bytes(), head)
    wanted = trained_spec(tags, head, sha256(network).hexdigest())
    text = format_table(table_of(models).read_text(encoding="utf-8"), tags, wanted)
    if parse_catalogue(text).get(TAGS) != wanted:
        raise ValueError(f"{table_of(models)} has another layout than expected: its model of tags cannot be replaced.")
    others = {file for task in catalogue.tasks for file in catalogue.get(task).files} - {tags.artefact}
    link_files(others, models, folder)
    (folder / tags.artefact).unlink(missing_ok=True)  # a link of another release must not be written through
    (folder / tags.artefact).write_bytes(network)
    (folder / TABLE).write_text(text, encoding="utf-8")
    return wanted


def trained_spec(tags: ModelSpec, head: Head, digest: str) -> ModelSpec:
    """Return the model of tags with ``head`` in the file of SHA-256 ``digest``."""
    thresholds = {tag: round(least, 4) for tag, least in zip(head.tags, head.thresholds.tolist(), strict=True)}
    return replace(
        tags,
        version=f"{tags.version}-trained-{digest[:8]}",
        output=SCORES,
        softmax=False,
        thresholds={**tags.thresholds, **thresholds},
        sha256={**tags.sha256, tags.artefact: digest},
        wheel={},
    )


def format_table(text: str, tags: ModelSpec, trained: ModelSpec) -> str:
    """Return the table ``text`` with ``trained`` instead of ``tags``; other models of the network get its digest."""
    mark = "[[model]]"
    head, *tables = text.split(mark)
    own = f'"{tags.artefact}" = '
    for number, table in enumerate(tables):
        if f'artefact = "{tags.artefact}"' in table:
            tables[number] = re.sub(rf"\[model\.wheel\]\n{re.escape(own)}.*\n", "", table).replace(
                tags.sha256[tags.artefact], trained.sha256[trained.artefact]
            )
        if f'task = "{tags.task}"' in table:
            tables[number] = _format_model(tables[number], tags, trained)
    return mark.join([head, *tables])


def _format_model(table: str, tags: ModelSpec, trained: ModelSpec) -> str:
    thresholds = "".join(f"{format_string(tag)} = {least}\n" for tag, least in trained.thresholds.items())
    table = re.sub(r"\[model\.thresholds\]\n(?:[^\[\n].*\n)*", lambda _: f"[model.thresholds]\n{thresholds}", table)
    return (
        table.replace(f'version = "{tags.version}"', f'version = "{trained.version}"')
        .replace(f'output = "{tags.output}"', f'output = "{trained.output}"')
        .replace("softmax = true\n", "")
    )


def _labels(model: onnx.ModelProto) -> list[str]:
    return next((one.value for one in model.metadata_props if one.key == LABELS), "").splitlines()


def _without(line: str, tags: Collection[str]) -> str:
    return "\t".join(name for name in line.split("\t") if name not in tags)
