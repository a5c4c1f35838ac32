"""Compare ways to store the weights of the network: in 32, 16 and 8 bits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from cli.models.efficientnet_lite import GraphBuilder, convert
from darkroom_analysis.models.catalogue import ModelSpec
from darkroom_analysis.models.classifiers import prepare
from darkroom_analysis.models.pixels import Floats, Pixels

from ..tables import Table


class Float32Builder(GraphBuilder):
    """Stores weights as they are in the checkpoint."""

    def add_weight(self, name: str, value: NDArray[np.floating]) -> str:
        """Store ``value``; return its name."""
        self.weights.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name


class Int8Builder(GraphBuilder):
    """Stores weights of more than one axis in 8 bits, with a scale for each filter."""

    def add_weight(self, name: str, value: NDArray[np.floating]) -> str:
        """Store ``value``; return the name of the weight in single precision."""
        if value.ndim < 2:
            return super().add_weight(name, value)
        largest = np.abs(value).max(axis=tuple(range(1, value.ndim)), keepdims=True)
        scale = np.maximum(largest / 127, np.finfo(np.float32).tiny).astype(np.float32)
        self.weights.append(numpy_helper.from_array(np.rint(value / scale).astype(np.int8), name))
        self.weights.append(numpy_helper.from_array(scale, f"{name}.scale"))
        return self.add("Mul", self.add("Cast", name, to=TensorProto.FLOAT), f"{name}.scale")


BUILDERS: Mapping[str, type[GraphBuilder]] = {
    "32 bits": Float32Builder,
    "16 bits (shipped)": GraphBuilder,
    "8 bits": Int8Builder,
}


class Run(NamedTuple):
    """The outputs for each image, the file's bytes, and CPU time on one thread in milliseconds."""

    logits: Floats
    embeddings: Floats
    bytes: int
    load_ms: float
    image_ms: float


def run_variants(
    checkpoint: bytes, tags: Mapping[str, Mapping[str, str]], model: ModelSpec, images: Sequence[Pixels], folder: Path
) -> tuple[dict[str, Run], float]:
    """Run every variant on ``images``. Their files are written into ``folder``.

    Returns the runs, and the median CPU time of preparing an image in milliseconds.
    """
    prepared, spent_s = [], []
    for image in images:
        begun_s = time.process_time()
        prepared.append(prepare(image, model).tensor[np.newaxis])
        spent_s.append(time.process_time() - begun_s)
    runs = {name: _run(convert(checkpoint, tags, builder), prepared, folder) for name, builder in BUILDERS.items()}
    return runs, median(spent_s) * 1000


def _run(model: bytes, images: Sequence[NDArray[np.generic]], folder: Path) -> Run:
    path = folder / "variant.onnx"
    path.write_bytes(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    begun_s = time.process_time()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    load_s, spent_s, outputs = time.process_time() - begun_s, [], []
    for image in images:
        begun_s = time.process_time()
        outputs.append(session.run(["logits", "embedding"], {"image": image}))
        spent_s.append(time.process_time() - begun_s)
    logits, embeddings = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    return Run(logits, embeddings, len(model), load_s * 1000, median(spent_s) * 1000)


def format_variants(runs: Mapping[str, Run], prepare_ms: float) -> Table:
    """Format a row for each variant, compared with the first. ``prepare_ms`` is what all need before."""
    first = next(iter(runs.values()))
    rows = []
    for name, run in runs.items():
        same = int((run.logits.argmax(axis=1) == first.logits.argmax(axis=1)).sum())
        lengths = np.linalg.norm(run.embeddings, axis=1) * np.linalg.norm(first.embeddings, axis=1)
        cosines = (run.embeddings * first.embeddings).sum(axis=1) / lengths
        rows.append(
            (
                name,
                f"{run.bytes / 1e6:.1f}",
                f"{same} of {len(run.logits)}",
                f"{cosines.min():.5f}",
                f"{run.load_ms:.0f}",
                f"{run.image_ms:.1f}",
            )
        )
    headings = ("weights", "MB", "same best class", "least cosine of embeddings", "load, ms", "image, ms")
    notes = [
        "CPU time on one thread; an image: median of the network alone. To scale and crop a decoded image takes "
        f"{prepare_ms:.1f} ms more (median). Weights are converted to 32 bits when the file is loaded."
    ]
    return Table("Precision of the weights", headings, rows, notes)
