"""Describe a trained head: lines of the command, metrics of the registry, and the model card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from darkroom_analysis.mlops.golden_set import Confusion
from darkroom_analysis.mlops.model_registry import MAX_VALUE
from darkroom_analysis.models.catalogue import ModelSpec

from .dataset import Dataset
from .head import Head, TagEvaluation

MAX_TAG_METRICS = 20
"""Tags with metrics of their own in the registry, two each: a version has at most 50 properties."""


@dataclass(frozen=True)
class TrainedModel:
    """A head with its model, its data and its evaluation by tag. ``origins`` are the manifests."""

    spec: ModelSpec
    head: Head
    dataset: Dataset
    by_tag: Mapping[str, TagEvaluation]
    origins: Sequence[str]

    @property
    def total(self) -> Confusion:
        """The counts of all tags."""
        return reduce(add, (one.test for one in self.by_tag.values()))

    @property
    def images(self) -> tuple[int, int]:
        """The number of images for training and for the test."""
        test = int(self.dataset.is_test.sum())
        return len(self.dataset.is_test) - test, test


def format_lines(model: TrainedModel) -> Iterator[str]:
    """Yield the lines of a report: each tag on the test part."""
    for_training, for_test = model.images
    yield f"{for_training} images for training, {for_test} for the test"
    width = max(len("all"), *map(len, model.by_tag))
    yield f"{'tag'.ljust(width)}  training  test  right  wrong  missed  precision  recall  threshold"
    for (tag, one), least in zip(model.by_tag.items(), model.head.thresholds.tolist(), strict=True):
        yield f"{tag.ljust(width)}  {one.train_images:8}  {_cells(one.test)}  {least:9.2f}"
    yield f"{'all'.ljust(width)}  {'':8}  {_cells(model.total)}"


def to_metrics(model: TrainedModel) -> dict[str, float]:
    """Return the metrics for the registry; precision is missing if nothing was found."""
    metrics: dict[str, float | None] = {
        "precision": model.total.precision,
        "recall": model.total.recall,
        "images-train": float(model.images[0]),
        "images-test": float(model.images[1]),
    }
    for tag, one in list(model.by_tag.items())[:MAX_TAG_METRICS]:
        named = re.sub(r"[^\w .:/=+@-]", "_", tag)  # SageMaker's pattern for names of metadata
        metrics |= {f"precision-{named}": one.test.precision, f"recall-{named}": one.test.recall}
    return {name: round(value, 4) for name, value in metrics.items() if value is not None}


def to_document(model: TrainedModel) -> dict[str, object]:
    """Return the evaluation of all tags as JSON values."""
    return {
        tag: {
            "train_images": one.train_images,
            "test_images": one.test.true_positives + one.test.false_negatives,
            "right": one.test.true_positives,
            "wrong": one.test.false_positives,
            "missed": one.test.false_negatives,
            "precision": one.test.precision,
            "recall": one.test.recall,
            "threshold": least,
        }
        for (tag, one), least in zip(model.by_tag.items(), model.head.thresholds.tolist(), strict=True)
    }


def describe_origins(model: TrainedModel) -> str:
    """Return the manifests as one value of the registry."""
    text = " ".join(model.origins)
    return (
        text if len(text) <= MAX_VALUE else f"{len(model.origins)} manifests, {model.origins[0]} to {model.origins[-1]}"
    )


def format_card(model: TrainedModel) -> str:
    """Return the model card, in Markdown."""
    for_training, for_test = model.images
    rows = [
        f"| {tag} | {one.train_images} | {one.test.true_positives} | {one.test.false_positives} "
        f"| {one.test.false_negatives} | {_percent(one.test.precision)} | {_percent(one.test.recall)} | {least:.2f} |"
        for (tag, one), least in zip(model.by_tag.items(), model.head.thresholds.tolist(), strict=True)
    ]
    total = model.total
    return "\n".join(
        [
            f"# {model.spec.name} {model.spec.version}",
            "",
            "A linear head over the embedding of the network, one logistic regression for each tag, written by",
            "`darkroom train`. All other tags and the embedding are those of the network.",
            "",
            "| | |",
            "| --- | --- |",
            f"| network | {model.spec.artefact}, {model.spec.sha256[model.spec.artefact]} with the head |",
            f"| data | {for_training} images for training, {for_test} for the test, reviewed by people |",
            f"| manifests | {', '.join(model.origins)} |",
            "| split | by a hash of the uploaded bytes; copies count once |",
            f"| regularisation | L2, {model.head.penalty:g}, chosen by cross-validation within the training part |",
            "",
            "## Evaluation on the test part",
            "",
            "| tag | training images | right | wrong | missed | precision | recall | threshold |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            f"| all | | {total.true_positives} | {total.false_positives} | {total.false_negatives} "
            f"| {_percent(total.precision)} | {_percent(total.recall)} | |",
            "",
            "## Limits",
            "",
            "- The licence of the images is that of their owners. The network has its own licence.",
            "- The test part is of the same uploads as the training part. On other images, the tags can be less",
            "  certain: the golden set has to have labels for them.",
            "- An image that is unlike all reviewed ones can get a tag by chance.",
            "",
        ]
    )


def _cells(one: Confusion) -> str:
    images = one.true_positives + one.false_negatives
    counts = f"{images:4}  {one.true_positives:5}  {one.false_positives:5}  {one.false_negatives:6}"
    return f"{counts}  {_percent(one.precision):>9}  {_percent(one.recall):>6}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
