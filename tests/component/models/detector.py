"""Custom detectors: ONNX files that find the largest red, green and blue area, in each layout of outputs.

The graphs compute boxes from pixels: the first and the last row and column in which a colour is. Layouts without
non-maximum suppression have each box twice, the second one shifted by a pixel and with a lower score.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = ("red", "green", "Traffic blue")
"""The labels; URLs have ``trafficblue`` for the last."""

SCORE, SECOND_SCORE = 0.9, 0.8
LOGIT = float(np.log(SCORE / (1 - SCORE)))
"""Of a sigmoid that is SCORE; absent colours have the negative."""

OPSET, IR = 17, 9


class _Graph:
    """Nodes and constants of a graph, with names that are numbered."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: object, kind: type[np.generic] = np.float32) -> str:
        """Add a constant, and return its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: object) -> str:
        """Add a node, and return the name of its output."""
        name = output or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name


def square_detector(layout: str, side_px: int) -> bytes:
    """Return the detector of ``layout`` for an input ``images`` (n, 3, side_px, side_px) float32 of 0–1."""
    graph = _Graph()
    boxes, present = _find(graph, side_px)  # (n, 3, 4) as left, top, right, bottom in px; (n, 3) of 0 or 1
    outputs = _LAYOUTS[layout](graph, boxes, present, side_px)
    batch: object = 1 if layout in ("yolov7-end-to-end", "torchvision") else "n"
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, side_px, side_px])]
    if layout == "d-fine":
        inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, [batch, 2]))
    made = helper.make_graph(
        graph.nodes,
        "squares",
        inputs,
        [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return bytes(model.SerializeToString())


def _find(graph: _Graph, side_px: int) -> tuple[str, str]:
    """Add what finds the extent of each colour: a channel over 0.8 in which the sum of the others is below 0.4."""
    total = graph.add("ReduceSum", "images", graph.constant([1], np.int64))
    others = graph.add("Sub", total, "images")
    strong = graph.add("Greater", "images", graph.constant(0.8))
    alone = graph.add("Less", others, graph.constant(0.4))
    mask = graph.add("Cast", graph.add("And", strong, alone), to=TensorProto.FLOAT)
    edges: dict[str, str] = {}
    for name, axis in (("across", 2), ("down", 3)):
        line = graph.add("ReduceMax", mask, axes=[axis], keepdims=0)  # (n, 3, side)
        for end, last in (("first", 0), ("last", 1)):
            found = graph.add("ArgMax", line, axis=2, keepdims=1, select_last_index=last)
            number = graph.add("Cast", found, to=TensorProto.FLOAT)
            edges[f"{name} {end}"] = graph.add("Add", number, graph.constant(float(last)))
    order = ("across first", "down first", "across last", "down last")
    boxes = graph.add("Concat", *(edges[name] for name in order), axis=2)
    return boxes, graph.add("ReduceMax", mask, axes=[2, 3], keepdims=0)


def _centred(graph: _Graph, boxes: str) -> str:
    """Return ``boxes`` as centre and size."""
    first, last = graph.add("Slice", boxes, *_ends(graph, 0, 2)), graph.add("Slice", boxes, *_ends(graph, 2, 4))
    middle = graph.add("Mul", graph.add("Add", first, last), graph.constant(0.5))
    return graph.add("Concat", middle, graph.add("Sub", last, first), axis=2)


def _ends(graph: _Graph, start: int, end: int) -> tuple[str, str, str]:
    return tuple(graph.constant([number], np.int64) for number in (start, end, 2))  # type: ignore[return-value]


def _one_hot(graph: _Graph, present: str, score: float = SCORE) -> str:
    """Return scores (n, 3, 3): that of a colour in its own row."""
    rows = graph.add("Unsqueeze", present, graph.constant([2], np.int64))
    return graph.add("Mul", rows, graph.constant(np.eye(3) * score))


def _twice(graph: _Graph, boxes: str, present: str) -> tuple[str, str]:
    """Return boxes (n, 6, 4) and scores (n, 6, 3), the second half shifted and less certain."""
    shifted = graph.add("Add", boxes, graph.constant(1.0))
    scores = _one_hot(graph, present), _one_hot(graph, present, SECOND_SCORE)
    return graph.add("Concat", boxes, shifted, axis=1), graph.add("Concat", *scores, axis=1)


def _column(graph: _Graph, values: str) -> str:
    return graph.add("Unsqueeze", values, graph.constant([2], np.int64))


def _class_column(graph: _Graph, present: str, first: int) -> str:
    """Return the index of each row's class (n, 3)."""
    zeros = graph.add("Mul", present, graph.constant(0.0))
    return graph.add("Add", zeros, graph.constant([first, first + 1, first + 2]))


def _yolov5(graph: _Graph, boxes: str, present: str, _: int) -> dict[str, int]:
    found, scores = _twice(graph, boxes, present)
    ones = graph.add("Add", graph.add("ReduceMax", scores, axes=[2], keepdims=1), graph.constant(0.05))
    certain = graph.add("Div", scores, ones)  # objectness times this is the score
    graph.add("Concat", _centred(graph, found), ones, certain, axis=2, output="output0")
    return {"output0": TensorProto.FLOAT}


def _yolov8(graph: _Graph, boxes: str, present: str, _: int) -> dict[str, int]:
    found, scores = _twice(graph, boxes, present)
    rows = graph.add("Concat", _centred(graph, found), scores, axis=2)
    graph.add("Transpose", rows, perm=[0, 2, 1], output="output0")
    return {"output0": TensorProto.FLOAT}


def _end_to_end(graph: _Graph, boxes: str, present: str, _: int) -> dict[str, int]:
    scores = _column(graph, graph.add("Mul", present, graph.constant(SCORE)))
    classes = _column(graph, _class_column(graph, present, 0))
    graph.add("Concat", boxes, scores, classes, axis=2, output="output0")
    return {"output0": TensorProto.FLOAT}


def _yolov7_end_to_end(graph: _Graph, boxes: str, present: str, _: int) -> dict[str, int]:
    scores = _column(graph, graph.add("Mul", present, graph.constant(SCORE)))
    classes = _column(graph, _class_column(graph, present, 0))
    image = graph.add("Mul", scores, graph.constant(0.0))
    rows = graph.add("Concat", image, boxes, classes, scores, axis=2)
    graph.add("Squeeze", rows, graph.constant([0], np.int64), output="output")
    return {"output": TensorProto.FLOAT}


def _boxes_scores(graph: _Graph, boxes: str, present: str, _: int) -> dict[str, int]:
    found, scores = _twice(graph, boxes, present)
    graph.add("Identity", found, output="boxes")
    graph.add("Identity", scores, output="scores")
    return {"scores": TensorProto.FLOAT, "boxes": TensorProto.FLOAT}


def _ssd(graph: _Graph, boxes: str, present: str, side_px: int) -> dict[str, int]:
    fractions = graph.add("Div", boxes, graph.constant(float(side_px)))
    graph.add("Gather", fractions, graph.constant([1, 0, 3, 2], np.int64), axis=2, output="detection_boxes")
    graph.add("Mul", present, graph.constant(SCORE), output="detection_scores")
    graph.add("Identity", _class_column(graph, present, 1), output="detection_classes")
    graph.add("ReduceSum", present, graph.constant([1], np.int64), keepdims=0, output="num_detections")
    names = ("num_detections", "detection_boxes", "detection_scores", "detection_classes")
    return dict.fromkeys(names, TensorProto.FLOAT)


def _torchvision(graph: _Graph, boxes: str, present: str, _: int) -> dict[str, int]:
    axis = graph.constant([0], np.int64)
    graph.add("Squeeze", boxes, axis, output="boxes")
    classes = graph.add("Cast", _class_column(graph, present, 0), to=TensorProto.INT64)
    graph.add("Squeeze", classes, axis, output="labels")
    graph.add("Squeeze", graph.add("Mul", present, graph.constant(SCORE)), axis, output="scores")
    return {"boxes": TensorProto.FLOAT, "labels": TensorProto.INT64, "scores": TensorProto.FLOAT}


def _detr(graph: _Graph, boxes: str, present: str, side_px: int) -> dict[str, int]:
    logits = graph.add("Mul", _one_hot(graph, present, 1.0), graph.constant(12.0))
    nothing = graph.add("Add", graph.add("Mul", _column(graph, present), graph.constant(0.0)), graph.constant(6.0))
    graph.add("Concat", logits, nothing, axis=2, output="logits")
    fractions = graph.add("Div", boxes, graph.constant(float(side_px)))
    graph.add("Identity", _centred(graph, fractions), output="pred_boxes")
    return {"logits": TensorProto.FLOAT, "pred_boxes": TensorProto.FLOAT}


def _rt_detr(graph: _Graph, boxes: str, present: str, side_px: int) -> dict[str, int]:
    signs = graph.add("Sub", _one_hot(graph, present, 2.0), graph.constant(1.0))
    graph.add("Mul", signs, graph.constant(LOGIT), output="logits")
    fractions = graph.add("Div", boxes, graph.constant(float(side_px)))
    graph.add("Identity", _centred(graph, fractions), output="pred_boxes")
    return {"logits": TensorProto.FLOAT, "pred_boxes": TensorProto.FLOAT}


def _d_fine(graph: _Graph, boxes: str, present: str, side_px: int) -> dict[str, int]:
    sizes = graph.add("Cast", "orig_target_sizes", to=TensorProto.FLOAT)
    twice = graph.add("Unsqueeze", graph.add("Concat", sizes, sizes, axis=1), graph.constant([1], np.int64))
    graph.add("Mul", graph.add("Div", boxes, graph.constant(float(side_px))), twice, output="boxes")
    graph.add("Cast", _class_column(graph, present, 0), to=TensorProto.INT64, output="labels")
    graph.add("Mul", present, graph.constant(SCORE), output="scores")
    return {"labels": TensorProto.INT64, "boxes": TensorProto.FLOAT, "scores": TensorProto.FLOAT}


_LAYOUTS = {
    "yolov5": _yolov5,
    "yolov8": _yolov8,
    "end-to-end": _end_to_end,
    "yolov7-end-to-end": _yolov7_end_to_end,
    "boxes-scores": _boxes_scores,
    "ssd": _ssd,
    "torchvision": _torchvision,
    "detr": _detr,
    "rt-detr": _rt_detr,
    "d-fine": _d_fine,
}
