"""The engines of the endpoint: those of the layer, and those that need more than its packages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from darkroom_analysis.models.catalogue import ModelSpec
from darkroom_analysis.models.model_set import ENGINES, Engine, Engines
from darkroom_analysis.models.onnx_model import Device

from .cutout import READ_MASK, CutoutModel
from .detector import READ_BOXES, Detector
from .upscale import READ_IMAGE, UpscaleModel


def load_onnx(models: Sequence[ModelSpec], folder: Path, device: Device) -> Engine:
    """Load a network of onnxruntime; that of a detector has one model."""
    if models[0].read == READ_BOXES:
        return Detector(models[0], folder, device)
    if models[0].read == READ_MASK:
        return CutoutModel(models, folder, device)
    if models[0].read == READ_IMAGE:
        return UpscaleModel(models, folder, device)
    return ENGINES["onnxruntime"](models, folder, device)


def load_rapidocr(models: Sequence[ModelSpec], folder: Path, device: Device) -> Engine:
    """Load a model of text."""
    from .ocr import RapidOcr  # and with it packages that only the endpoint's environment has

    [model] = models
    return RapidOcr(model, folder, device)


ENDPOINT_ENGINES: Engines = {**ENGINES, "onnxruntime": load_onnx, "rapidocr": load_rapidocr}
