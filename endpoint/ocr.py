"""Recognise text with PP-OCR through rapidocr's pipeline: detect lines, crop them, recognise them.

rapidocr brings OpenCV and a dozen packages, 250 MB in all; only the endpoint has it. Its engines are onnxruntime's.

A page is recognised a second time where that helps (decision 65): with its light evened out, or with small
slanted lines levelled. Its model for upside-down lines is not used: it turns every other upright line of a letter's
length. Instead, a page with a low score is recognised once more upside down, and the better result is used.

Every line that is detected in the image itself is returned, whatever recognition makes of it: redaction covers scripts
that the model cannot read.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import ModelUnavailable
from darkroom.findings import TEXT, Finding, Region, TextLine
from darkroom_analysis.models.catalogue import CPU, ModelSpec
from darkroom_analysis.models.onnx_model import Device, providers
from darkroom_analysis.models.pixels import Pixels

from .page_images import even_light, has_shaded_text, stretch_contrast, turn
from .personal_data import mark_personal_data
from .reading_order import direction, sort_reading_order
from .shapes import split_shapes

READS_WELL = 0.9
"""Mean score of a page, weighted by letters, from which it is not tried upside down. Printed pages have 0.99 if upright
and 0.7 if not."""

LEAST_LETTERS = 2.0
"""Letters that a second look has to read more than the first one to be taken."""

SMALL_PX = 20.0
"""Height of slanted lines in px below which they are levelled: letters of less than some 10 px."""

SLANTED_DEGREES = 2.0
"""Angle from which on lines are slanted."""

TALL = 1.5
"""Height over width from which on rapidocr takes a line to run down or up, and reads it from above."""

WIDEST_PX = 4096
"""Lines are recognised at full size; clients send at most 2048 px."""

ONE_LINE = 1
"""Lines that a CPU recognises at a time: several take longer together, as they fit no cache and are padded."""

ALL_CORES = -1
"""rapidocr's number of threads for one for each core."""


class RapidOcr:
    """PP-OCR, loaded. ``artefact`` finds lines, the part ``recognise`` reads them.

    ``side_px`` is the longest side of the copy that lines are looked for in. The threshold ``box`` is for a line that
    was found, ``line`` for its text: a line below it has none. Images are read one by one, their lines ``batch_size``
    at a time on a GPU. Threads may share it: rapidocr's calls keep nothing that differs between images. Raises
    ModelUnavailable if a file is missing or broken.
    """

    def __init__(self, model: ModelSpec, folder: Path, device: Device) -> None:
        self._model = model
        missing = [name for name in model.files if not (folder / name).is_file()]
        if missing:  # rapidocr would look for it on the network
            raise ModelUnavailable(detail=f"{model.name}: no {', '.join(missing)} in {folder}")
        try:
            from rapidocr import RapidOCR

            self._reader = RapidOCR(params=_settings(model, folder, device))
            # Threads of its own: those that wait here for lines are the model set's, and might take all of them.
            self._threads = ThreadPoolExecutor(device.at_once) if device.at_once > 1 else None
            self._reader(_sample_image())  # it loads what it needs when it needs it
        except Exception as error:
            raise ModelUnavailable(detail=f"{model.name}: {error}") from error

    def detect_batch(self, images: Sequence[Pixels], _: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        """Return the lines of each image in reading order. Raises ModelUnavailable if a run fails."""
        return [{TEXT: self._find(image)} for image in images]

    def _find(self, image: Pixels) -> Finding:
        least = self._model.thresholds["line"]
        found, shapes = split_shapes(self._look(image), image.shape[1], image.shape[0])
        lines = [line if line.score >= least else replace(line, text="") for line in found]
        ordered = mark_personal_data(sort_reading_order(lines, image.shape[1], image.shape[0]))
        return Finding(TEXT, self._model.name, self._model.version, lines=(*ordered, *shapes))

    def _look(self, image: Pixels) -> list[TextLine]:
        """Return the lines of ``image``, read twice where that helps, and all that were detected at first."""
        plain = stretch_contrast(image)
        lines = detected = self._read(plain)
        if lines:
            even = even_light(plain) if has_shaded_text(plain) else plain
            slant = _slant(lines, plain)
            if abs(slant) >= SLANTED_DEGREES:
                lines = add_lines(lines, self._read_turned(even, slant))
            elif even is not plain:
                lines = add_lines(lines, self._read(even))
            plain = even
        if lines and _quality(lines) < READS_WELL:
            other = [_rotate_line(line) for line in self._read(np.rot90(plain, 2))]
            lines = max(lines, other, key=_quality)
        return add_uncovered(lines, detected)

    def _read_turned(self, image: Pixels, degrees: float) -> list[TextLine]:
        """Return the lines of ``image`` as it is when turned by ``degrees`` against the clock."""
        turned = turn(image, degrees)
        size = np.array([turned.image.shape[1], turned.image.shape[0]], np.float64)
        original = np.array([image.shape[1], image.shape[0]], np.float64)
        lines = []
        for line in self._read(turned.image):
            corners = np.array(line.corners) * size @ turned.back[:, :2].T + turned.back[:, 2]
            lines.append(replace(line, corners=_to_fractions(corners, original)))
        return lines

    def _read(self, image: Pixels) -> list[TextLine]:
        """Return what is detected in ``image``, with the text and the score of recognition.

        rapidocr's own call drops lines in which nothing is recognised.
        """
        from rapidocr.main import RapidOCRError
        from rapidocr.utils.process_img import map_boxes_to_original

        try:
            scaled, steps = self._reader.preprocess_img(np.ascontiguousarray(image[:, :, ::-1]))
            try:
                crops, found = self._reader.detect_and_crop(scaled, steps)
            except RapidOCRError:  # nothing is detected
                return []
            read = self._recognise(crops)
            boxes = map_boxes_to_original(found.boxes, steps, *image.shape[:2])
        except Exception as error:
            raise ModelUnavailable(detail=f"{self._model.name}: {error}") from error
        size = np.array([image.shape[1], image.shape[0]], np.float64)
        return [
            _line(box, text.strip(), score, size)
            for box, (text, score) in zip(np.asarray(boxes, np.float64), read, strict=True)
        ]

    def _recognise(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        """Return the text and the score of each line; one by one where several threads share the work."""
        if self._threads is None:
            return self._recognise_batch(crops)
        results = self._threads.map(self._recognise_batch, ([crop] for crop in crops))
        return [line for lines in results for line in lines]

    def _recognise_batch(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        read = self._reader.recognize_txt(crops)
        return [(str(text), float(score)) for text, score in zip(read.txts, read.scores, strict=True)]


def add_lines(first: Sequence[TextLine], second: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines of the look in which more is read, and those of the other look where the first has none.

    The second look counts only where it reads clearly, as it finds letters in the background of photographs.
    """
    if _amount(second) >= _amount(first) + LEAST_LETTERS:
        best, rest = second, first
    else:
        best, rest = first, [line for line in second if line.score >= READS_WELL]
    return [*best, *(line for line in rest if not any(_overlap(line.region, known.region) for known in best))]


def add_uncovered(lines: Sequence[TextLine], detected: Sequence[TextLine]) -> list[TextLine]:
    """Return ``lines``, and those of ``detected`` that they do not cover from end to end, without text."""
    return [*lines, *(replace(line, text="") for line in detected if not _is_covered(line, lines))]


def _is_covered(line: TextLine, lines: Sequence[TextLine]) -> bool:
    corners = np.array(line.corners)
    starts, ends = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    along = [starts + (ends - starts) * share for share in np.linspace(0.05, 0.95, 9)]
    regions = [known.region for known in lines]
    return all(
        any(0 <= x - one.left <= one.width and 0 <= y - one.top <= one.height for one in regions) for x, y in along
    )


def _overlap(one: Region, other: Region) -> bool:
    """Return whether the middle of one region is in the other."""
    return _holds(one, other) or _holds(other, one)


def _holds(one: Region, other: Region) -> bool:
    across, down = other.left + other.width / 2 - one.left, other.top + other.height / 2 - one.top
    return 0 <= across <= one.width and 0 <= down <= one.height


def _amount(lines: Sequence[TextLine]) -> float:
    """Return how many letters are read, weighted by how much their line's score exceeds chance."""
    return sum(max(0.0, 2 * line.score - 1) * len(line.text) for line in lines)


def _slant(lines: Sequence[TextLine], image: Pixels) -> float:
    """Return the angle of small lines to the sides of the image, in degrees with the clock; 0 for larger lines."""
    corners = np.array([line.corners for line in lines]) * (image.shape[1], image.shape[0])
    if np.median(np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)) >= SMALL_PX:
        return 0.0
    along = direction(corners)
    degrees = float(np.degrees(np.arctan2(along[1], along[0])))
    return degrees - 90 * round(degrees / 90)


def _line(box: NDArray[np.float64], text: str, score: float, size: NDArray[np.float64]) -> TextLine:
    """``box`` is four corners in pixels, clockwise from the upper left one of the image."""
    across, down = (float(np.linalg.norm(box[0] - box[place])) for place in (1, 3))
    start = 1 if down >= TALL * across else 0
    return TextLine(_to_fractions(np.roll(box, -start, axis=0), size), text, score)


def _to_fractions(corners: NDArray[np.float64], size: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in np.clip(corners / size, 0.0, 1.0))


def _rotate_line(line: TextLine) -> TextLine:
    """Return a line of an upside-down image in upright coordinates."""
    return TextLine(tuple((1 - x, 1 - y) for x, y in line.corners), line.text, line.score)


def _quality(lines: Sequence[TextLine]) -> float:
    letters = sum(len(line.text) for line in lines)
    return sum(line.score * len(line.text) for line in lines) / letters if letters else 0.0


def _settings(model: ModelSpec, folder: Path, device: Device) -> dict[str, Any]:
    """Return the settings of rapidocr, by the names of its config.yaml."""
    on_gpu = providers(model, device.number) != [CPU]
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
        "Rec.rec_batch_num": model.batch_size if on_gpu else ONE_LINE,
        "EngineConfig.onnxruntime.intra_op_num_threads": device.threads or ALL_CORES,
        "EngineConfig.onnxruntime.use_cuda": on_gpu,
        "EngineConfig.onnxruntime.cuda_ep_cfg.device_id": device.number,
    }


def _sample_image() -> Pixels:
    """Return an image that resembles text, in rapidocr's channel order."""
    image = np.full((64, 320, 3), 255, np.uint8)
    for left in range(20, 300, 24):
        image[20:44, left : left + 4] = image[30:34, left : left + 16] = 0
    return image
