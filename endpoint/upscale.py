"""Upscaling, as engine ``onnxruntime`` with ``read = "image"``: a network whose output is a larger image.

An image is computed in tiles, so that memory does not depend on its size. Tiles overlap, as the network sees beyond
their edges, and only the middle of each is kept.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from darkroom.findings import MAX_UPSCALE_PIXELS, Finding
from darkroom_analysis.models.catalogue import ModelSpec
from darkroom_analysis.models.onnx_model import PREPARE, READ, OnnxModel, Read
from darkroom_analysis.models.pixels import Floats, ModelInput, ModelOutput, Pixels

READ_IMAGE = "image"

OVERLAP_PX = 24
"""Pixels around the middle of a tile that it shares with its neighbours. With 16, pixels of Real-ESRGAN differ by 2 of
255 in the mean from those of an image that is computed at once, with 8 by 3.3. Its own code has 10."""

TOO_LARGE = "too-large"
"""The error of a finding whose image has more than MAX_UPSCALE_PIXELS."""


class Tile(NamedTuple):
    """A tile of one axis: the pixels ``start`` to ``end`` are kept, those from ``first`` to ``last`` are computed."""

    start: int
    end: int
    first: int
    last: int


def list_tiles(length: int, side: int) -> Iterator[Tile]:
    """Yield the tiles of an axis of ``length`` px, of which at most ``side`` are computed at once."""
    step = side - 2 * OVERLAP_PX
    for start in range(0, length, step):
        end = min(length, start + step)
        yield Tile(start, end, max(0, start - OVERLAP_PX), min(length, end + OVERLAP_PX))


def prepare_tile(image: Pixels, model: ModelSpec) -> ModelInput:
    """Convert ``image``, a tile, to the model's numbers without changing its size."""
    height, width = image.shape[:2]
    mean, deviation = (np.asarray(values, np.float32) for values in (model.input.mean, model.input.deviation))
    tensor = ((image.astype(np.float32) - mean) / deviation).transpose(2, 0, 1)
    return ModelInput(np.ascontiguousarray(tensor), width, height)


def read_image(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return the output, with channels from 0 to 1, as a PNG."""
    pixels = np.rint(np.clip(np.asarray(answer.outputs[0], np.float32), 0, 1) * 255).astype(np.uint8)
    stored = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(stored, "PNG", compress_level=1)
    return Finding(model.task, model.name, model.version, raster=stored.getvalue())


class UpscaleModel(OnnxModel):
    """A loaded network of upscaling. Raises what :class:`OnnxModel` raises."""

    known_prepare = PREPARE | {"tile": prepare_tile}
    known_read: Mapping[str, Read] = READ | {READ_IMAGE: read_image}

    def detect_batch(
        self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]], batch_size: int = 0
    ) -> list[dict[str, Finding]]:
        """Return each image enlarged, one after the other, or an error for more than MAX_UPSCALE_PIXELS.

        ``batch_size`` has no effect: one tile is computed at a time.
        """
        del batch_size
        task = self._model.task
        return [
            {task: self._enlarge(image)} if task in wanted else {} for image, wanted in zip(images, tasks, strict=True)
        ]

    def _enlarge(self, image: Pixels) -> Finding:
        height, width = image.shape[:2]
        if height * width > MAX_UPSCALE_PIXELS:
            return Finding(self._model.task, self._model.name, self._model.version, error=TOO_LARGE)
        rows = [
            np.concatenate(
                [self._compute(image, down, across) for across in list_tiles(width, self._model.input.side_px)], 2
            )
            for down in list_tiles(height, self._model.input.side_px)
        ]
        whole = ModelOutput([np.concatenate(rows, 1)], prepare_tile(image, self._model), ())
        return read_image(whole, self._model)

    def _compute(self, image: Pixels, down: Tile, across: Tile) -> Floats:
        """Return the middle of a tile, enlarged: channels × height × width."""
        part = image[down.first : down.last, across.first : across.last]
        [output] = self._run(prepare_tile(part, self._model).tensor[np.newaxis])
        factor = output.shape[2] // part.shape[0]
        rows, columns = (
            slice((tile.start - tile.first) * factor, (tile.end - tile.first) * factor) for tile in (down, across)
        )
        return np.asarray(output[0, :, rows, columns], np.float32)
