"""Convert the PyTorch checkpoint of EfficientNet-Lite0 to ONNX, without PyTorch.

``python cli/models/efficientnet_lite.py CHECKPOINT TAGS OUT``. The layer's build links to this file and to the tags.

The network is that of Tan, "Higher accuracy on vision models with EfficientNet-Lite" (TensorFlow blog, 2020), as the
package ``efficientnet-lite-pytorch`` has it: EfficientNet-B0 (Tan and Le, ICML 2019) without squeeze-and-excitation,
with ReLU6, and with stem and head of fixed width. Batch normalisation is folded into the weights of the convolutions.
Outputs are ``logits`` of the 1,000 classes of ImageNet, and the ``embedding`` that they are computed from, 1,280 wide.
"""

from __future__ import annotations

import io
import pickle
import sys
import tomllib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE_PX = 224
CLASSES = 1000
WIDTH = 1280
EPSILON = 1e-3
"""Of batch normalisation, from ``efficientnet_lite_pytorch/utils.py``."""

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
"""Of a checkpoint: ``MAGIC_NUMBER`` and ``PROTOCOL_VERSION`` in ``torch/serialization.py``."""

OPSET, IR_VERSION = 17, 8
LABELS = "labels"
"""The metadata with the tags of each class, a line each, separated by tabs."""

type Floats = NDArray[np.float32]


class Stage(NamedTuple):
    """A sequence of ``blocks`` blocks; the first has the stride and changes the width."""

    blocks: int
    kernel: int
    stride: int
    expand: int
    width: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM_WIDTH = 32


class Tensor(NamedTuple):
    """A tensor of a checkpoint, whose numbers are in a storage."""

    storage: tuple[str, np.dtype[Any]]
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class CheckpointUnpickler(pickle.Unpickler):
    """Reads descriptions of tensors and nothing else: any other class or function raises UnpicklingError."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name of the checkpoint."""
        known: Mapping[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda *parts: Tensor(*parts[:4]),
            ("torch", "FloatStorage"): np.dtype("<f4"),
            ("torch", "LongStorage"): np.dtype("<i8"),
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of a tensor")
        return known[module, name]

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype[Any]]:
        """Return the key and type of a storage."""
        _, kind, key, *_ = pid
        return str(key), kind


def read_checkpoint(content: bytes) -> Mapping[str, Floats]:
    """Return the tensors of a PyTorch checkpoint by name. Raises UnpicklingError for one with other objects.

    It has the format of PyTorch before 1.6: pickles of a magic number, the version, the machine, the tensors, and the
    keys of storages; then each storage, as the number of its elements and their bytes.
    """
    file = io.BytesIO(content)
    magic, version, _, tensors, keys = (CheckpointUnpickler(file).load() for _ in range(5))
    if (magic, version) != (MAGIC, VERSION):
        raise pickle.UnpicklingError("this is no checkpoint of PyTorch before 1.6")
    types = dict(tensor.storage for tensor in tensors.values())
    storages = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(file.read(count * types[key].itemsize), types[key])
    return {name: _read_tensor(tensor, storages) for name, tensor in tensors.items()}


def _read_tensor(tensor: Tensor, storages: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    storage = storages[tensor.storage[0]][tensor.offset :]
    bytes_each = tuple(step * storage.itemsize for step in tensor.stride)
    return np.lib.stride_tricks.as_strided(storage, tensor.size, bytes_each).copy()


class GraphBuilder:
    """Nodes and weights of the network, from ``tensors``. Weights are stored in half precision."""

    def __init__(self, tensors: Mapping[str, Floats]) -> None:
        self._tensors = tensors
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = [
            numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("zero", 0), ("six", 6))
        ]

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def add_weight(self, name: str, value: NDArray[np.floating]) -> str:
        """Store ``value`` in half precision; return the name of the weight in single precision."""
        self.weights.append(numpy_helper.from_array(value.astype(np.float16), name))
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def add_convolution(self, source: str, weight: str, norm: str, size: int, stride: int, *, activate: bool) -> str:
        """Add a convolution with batch normalisation, of an input with the sides ``size``; return its output."""
        filters = self._tensors[f"{weight}.weight"]
        scale = self._tensors[f"{norm}.weight"] / np.sqrt(self._tensors[f"{norm}.running_var"] + EPSILON)
        bias = self._tensors[f"{norm}.bias"] - self._tensors[f"{norm}.running_mean"] * scale
        kernel, padded = filters.shape[-1], max(0, (-(-size // stride) - 1) * stride + filters.shape[-1] - size)
        before, after = padded // 2, padded - padded // 2  # as TensorFlow pads: more at the end
        output = self.add(
            "Conv",
            source,
            self.add_weight(f"{weight}.weight", filters * scale[:, np.newaxis, np.newaxis, np.newaxis]),
            self.add_weight(f"{norm}.bias", bias),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=scale.size if filters.shape[1] == 1 else 1,
        )
        return self.add("Clip", output, "zero", "six") if activate else output

    def add_block(self, source: str, prefix: str, size: int, block: Stage) -> str:
        """Add an inverted residual block (MBConv) without the addition of its input; ``block.blocks`` is ignored."""
        layers = [("depthwise", "_bn1", block.stride, True), ("project", "_bn2", 1, False)]
        if block.expand > 1:
            layers.insert(0, ("expand", "_bn0", 1, True))
        output = source
        for layer, norm, stride, activate in layers:
            weight = f"{prefix}._{layer}_conv"
            output = self.add_convolution(output, weight, f"{prefix}.{norm}", size, stride, activate=activate)
            size //= stride
        return output

    def add_network(self, source: str) -> None:
        """Add all layers, with the outputs ``embedding`` and ``logits``."""
        output = self.add_convolution(source, "_conv_stem", "_bn0", SIDE_PX, 2, activate=True)
        size, width = SIDE_PX // 2, STEM_WIDTH
        for number, block in enumerate(_blocks()):
            before = output
            output = self.add_block(output, f"_blocks.{number}", size, block)
            if block.stride == 1 and block.width == width:
                output = self.add("Add", output, before)
            size, width = size // block.stride, block.width
        output = self.add_convolution(output, "_conv_head", "_bn1", size, 1, activate=True)
        pooled = self.add("GlobalAveragePool", output)
        embedding = self.add("Flatten", pooled, name="embedding", axis=1)
        weight = self.add_weight("_fc.weight", self._tensors["_fc.weight"])
        bias = self.add_weight("_fc.bias", self._tensors["_fc.bias"])
        self.add("Gemm", embedding, weight, bias, name="logits", transB=1)


def _blocks() -> Iterator[Stage]:
    for stage in STAGES:
        for number in range(stage.blocks):
            yield stage if number == 0 else stage._replace(stride=1)


def build_labels(tags: Mapping[str, Mapping[str, str]]) -> str:
    """Return the tags of each class, a line each, from a table of ranges of classes. ValueError for another class."""
    lines: list[list[str]] = [[] for _ in range(CLASSES)]
    for name, ranges in (pair for group in tags.values() for pair in group.items()):
        for part in ranges.split():
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                if not 0 <= number < CLASSES:
                    raise ValueError(f"{name}: there is no class {number}")
                lines[number].append(name)
    return "".join("\t".join(names) + "\n" for names in lines)


def convert(
    checkpoint: bytes, tags: Mapping[str, Mapping[str, str]], builder_of: type[GraphBuilder] = GraphBuilder
) -> bytes:
    """Return the checkpoint as an ONNX model with ``tags``. Raises UnpicklingError, KeyError for another checkpoint."""
    builder = builder_of(read_checkpoint(checkpoint))
    builder.add_network("image")
    graph = helper.make_graph(
        builder.nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE_PX, SIDE_PX])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
            for name, width in (("logits", CLASSES), ("embedding", WIDTH))
        ],
        builder.weights,
    )
    model = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])
    helper.set_model_props(model, {LABELS: build_labels(tags)})
    onnx.checker.check_model(model)
    converted: bytes = model.SerializeToString(deterministic=True)
    return converted


def read_tags(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Read the table of tags."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    source, table, target = map(Path, sys.argv[1:])
    target.write_bytes(convert(source.read_bytes(), read_tags(table)))
