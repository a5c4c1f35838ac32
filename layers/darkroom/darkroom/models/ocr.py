"""Recognise text with PP-OCR through rapidocr's pipeline: detect lines, crop them, recognise them.

rapidocr brings OpenCV and a dozen packages, 250 MB in all; only the endpoint has it. Its engines are onnxruntime's.

Its model for upside-down lines is not used: it turns every other upright line of a letter's length. Instead, a page
with a low score is recognised once more upside down, and the better result is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelUnavailable
from ..findings import TEXT, Finding, TextLine
from .catalogue import CPU, ModelSpec
from .onnx_model import providers
from .pixels import Pixels

READS_WELL = 0.9
"""Mean score of a page, weighted by letters, from which it is not tried upside down. Printed pages have 0.99 if upright
and 0.7 if not."""

TALL = 1.5
"""Height over width from which on rapidocr takes a line to run down or up, and reads it from above."""

WIDEST_PX = 4096
"""Lines are recognised at full size; clients send at most 2048 px."""


class RapidOcr:
    """PP-OCR, loaded. ``artefact`` finds lines, the part ``recognise`` reads them.

    ``side_px`` is the longest side of the copy that lines are looked for in. The threshold ``line`` is for a line that
    was read, ``box`` for one that was found. Images are read one by one, their lines ``batch_size`` at a time. Raises
    ModelUnavailable if a file is missing or broken.
    """

    def __init__(self, model: ModelSpec, folder: Path, device: int) -> None:
        self._model = model
        missing = [name for name in model.files if not (folder / name).is_file()]
        if missing:  # rapidocr would look for it on the network
            raise ModelUnavailable(detail=f"{model.name}: no {', '.join(missing)} in {folder}")
        try:
            from rapidocr import RapidOCR

            self._reader = RapidOCR(params=_settings(model, folder, device))
            self._reader(_sample_image())  # it loads what it needs when it needs it
        except Exception as error:
            raise ModelUnavailable(detail=f"{model.name}: {error}") from error

    def detect_batch(self, images: Sequence[Pixels], _: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        """Return the lines of each image in reading order. Raises ModelUnavailable if a run fails."""
        return [{TEXT: self._find(image)} for image in images]

    def _find(self, image: Pixels) -> Finding:
        lines = self._read(image)
        if lines and _quality(lines) < READS_WELL:
            other = [_rotate_line(line) for line in self._read(np.rot90(image, 2))]
            lines = max(lines, other, key=_quality)
        kept = [line for line in lines if line.score >= self._model.thresholds["line"] and line.text.strip()]
        ordered = sort_reading_order(kept, image.shape[1], image.shape[0])
        return Finding(TEXT, self._model.name, self._model.version, lines=tuple(ordered))

    def _read(self, image: Pixels) -> list[TextLine]:
        try:
            found = self._reader(np.ascontiguousarray(image[:, :, ::-1]))
        except Exception as error:
            raise ModelUnavailable(detail=f"{self._model.name}: {error}") from error
        if found.boxes is None or found.txts is None:
            return []
        size = (image.shape[1], image.shape[0])
        boxes = np.asarray(found.boxes, np.float64)
        return [
            _line(box, str(text), float(score), size)
            for box, text, score in zip(boxes, found.txts, found.scores, strict=True)
        ]


def sort_reading_order(lines: Sequence[TextLine], width: int, height: int) -> list[TextLine]:
    """Sort ``lines`` into reading order, by the direction of most of them."""
    if not lines:
        return []
    corners = np.array([line.corners for line in lines]) * (width, height)
    along = (corners[:, 1] - corners[:, 0]).sum(axis=0)
    along /= max(float(np.hypot(*along)), 1e-9)
    down = np.array([-along[1], along[0]])
    middles = corners.mean(axis=1)
    depths, starts = middles @ down, middles @ along
    apart = 0.5 * float(np.median(np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)))
    by_depth = np.argsort(depths, kind="stable")
    rows = np.concatenate([[0], np.cumsum(np.diff(depths[by_depth]) > apart)])
    order = by_depth[np.lexsort((starts[by_depth], rows))]
    return [lines[index] for index in order]


def _line(box: NDArray[np.float64], text: str, score: float, size: tuple[int, int]) -> TextLine:
    """``box`` is four corners in pixels, clockwise from the upper left one of the image."""
    across, down = (float(np.linalg.norm(box[0] - box[place])) for place in (1, 3))
    start = 1 if down >= TALL * across else 0
    corners = np.clip(np.roll(box, -start, axis=0) / size, 0.0, 1.0)
    return TextLine(tuple((float(x), float(y)) for x, y in corners), text, score)


def _rotate_line(line: TextLine) -> TextLine:
    """Return a line of an upside-down image in upright coordinates."""
    return TextLine(tuple((1 - x, 1 - y) for x, y in line.corners), line.text, line.score)


def _quality(lines: Sequence[TextLine]) -> float:
    letters = sum(len(line.text) for line in lines)
    return sum(line.score * len(line.text) for line in lines) / letters if letters else 0.0


def _settings(model: ModelSpec, folder: Path, device: int) -> dict[str, Any]:
    """Return the settings of rapidocr, by the names of its config.yaml."""
    on_gpu = providers(model, device) != [CPU]
    return {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Global.max_side_len": WIDEST_PX,
        "Global.text_score": 0.0,
        "Det.model_path": str(folder / model.artefact),
        "Det.limit_type": "max",
        "Det.limit_side_len": model.input.side_px,
        "Det.box_thresh": model.thresholds["box"],
        "Rec.model_path": str(folder / model.parts["recognise"]),
        "Rec.rec_batch_num": model.batch_size,
        "EngineConfig.onnxruntime.use_cuda": on_gpu,
        "EngineConfig.onnxruntime.cuda_ep_cfg.device_id": device,
    }


def _sample_image() -> Pixels:
    """Return an image that resembles text, in rapidocr's channel order."""
    image = np.full((64, 320, 3), 255, np.uint8)
    for left in range(20, 300, 24):
        image[20:44, left : left + 4] = image[30:34, left : left + 16] = 0
    return image
