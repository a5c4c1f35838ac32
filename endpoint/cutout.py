"""Cut-outs, as engine ``onnxruntime`` with ``read = "mask"``: a network whose output is the foreground's coverage."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from darkroom.findings import MAX_RASTER_PX, Finding
from darkroom_analysis.models.catalogue import ModelSpec
from darkroom_analysis.models.classifiers import prepare
from darkroom_analysis.models.onnx_model import PREPARE, READ, OnnxModel
from darkroom_analysis.models.pixels import ModelInput, ModelOutput, Pixels

READ_MASK = "mask"


def prepare_whole(image: Pixels, model: ModelSpec) -> ModelInput:
    """Stretch the whole ``image`` to the model's square, but keep its own size, which the raster has to have."""
    height, width = image.shape[:2]
    return prepare(image, model)._replace(width=width, height=height)


def read_mask(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return the coverage as a raster in the aspect ratio of the image, no larger than the image."""
    coverage = np.clip(np.asarray(answer.outputs[0], np.float32).squeeze(), 0, 1)
    sheet = Image.fromarray(np.rint(coverage * 255).astype(np.uint8))
    width, height = answer.prepared.width, answer.prepared.height
    scale = min(1.0, MAX_RASTER_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    stored = io.BytesIO()
    sheet.resize(size, Image.Resampling.BILINEAR).save(stored, "PNG", optimize=True)
    return Finding(model.task, model.name, model.version, raster=stored.getvalue())


class CutoutModel(OnnxModel):
    """A loaded network for cut-outs. Raises what :class:`OnnxModel` raises."""

    known_prepare = PREPARE | {"whole": prepare_whole}
    known_read = READ | {READ_MASK: read_mask}
