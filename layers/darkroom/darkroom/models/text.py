"""Text, read by PP-OCR through rapidocr's own pipeline: find lines, turn them, read them.

rapidocr brings OpenCV and a dozen packages, 250 MB in all; only the endpoint has it. Its engines are onnxruntime's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelUnavailable
from ..findings import TEXT, Finding, Line
from .catalogue import Model
from .pixels import Pixels
from .sessions import providers


class RapidOcr:
    """PP-OCR, loaded. ``artefact`` finds lines; ``parts`` are ``recognise`` and ``turn`` (is a line upside down?).

    The threshold ``line`` is for a line that was read, ``box`` for one that was found. Pictures are read one by one,
    their lines ``batch_size`` at a time. Raises ModelUnavailable if a file is missing or broken.
    """

    def __init__(self, model: Model, folder: Path, device: int) -> None:
        self._model = model
        missing = [name for name in model.files if not (folder / name).is_file()]
        if missing:  # rapidocr would look for it on the network
            raise ModelUnavailable(detail=f"{model.name}: no {', '.join(missing)} in {folder}")
        try:
            from rapidocr import RapidOCR

            self._reader = RapidOCR(params=_settings(model, folder, device))
            self.find_all([np.full((64, 64, 3), 255, np.uint8)])  # it loads what it needs when it needs it
        except Exception as error:
            raise ModelUnavailable(detail=f"{model.name}: {error}") from error

    def find_all(self, pictures: Sequence[Pixels]) -> list[Finding]:
        """The lines of each picture, from top to bottom; raises ModelUnavailable if a run fails."""
        return [self._find(picture) for picture in pictures]

    def _find(self, picture: Pixels) -> Finding:
        try:
            found = self._reader(np.ascontiguousarray(picture[:, :, ::-1]))
        except Exception as error:
            raise ModelUnavailable(detail=f"{self._model.name}: {error}") from error
        lines = tuple(_lines(found, picture.shape[1], picture.shape[0]))
        return Finding(TEXT, self._model.name, self._model.version, lines=lines)


def _lines(found: Any, width: int, height: int) -> list[Line]:
    if found.boxes is None or found.txts is None:
        return []
    corners = np.clip(np.asarray(found.boxes, np.float64) / (width, height), 0.0, 1.0)
    return [
        Line(tuple((float(x), float(y)) for x, y in box), str(text), float(score))
        for box, text, score in zip(corners, found.txts, found.scores, strict=True)
    ]


def _settings(model: Model, folder: Path, device: int) -> dict[str, Any]:
    """rapidocr's, by the names in its config.yaml."""
    on_gpu = any(name != "CPUExecutionProvider" for name in providers(model, device))
    return {
        "Global.log_level": "critical",
        "Global.max_side_len": model.input.side_px,
        "Global.text_score": model.thresholds["line"],
        "Det.model_path": str(folder / model.artefact),
        "Det.box_thresh": model.thresholds["box"],
        "Rec.model_path": str(folder / model.parts["recognise"]),
        "Rec.rec_batch_num": model.batch_size,
        "Cls.model_path": str(folder / model.parts["turn"]),
        "Cls.cls_batch_num": model.batch_size,
        "EngineConfig.onnxruntime.use_cuda": on_gpu,
        "EngineConfig.onnxruntime.cuda_ep_cfg.device_id": device,
    }
