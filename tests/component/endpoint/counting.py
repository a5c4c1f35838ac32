"""Count what reading an image takes, in the interpreter that runs this.

``python -m tests.component.endpoint.counting MODELS IMAGE`` prints the shapes of the detector's and the recogniser's
inputs, and the text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from darkroom.findings import TEXT
from darkroom_analysis.models.catalogue import load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from endpoint.decode import decode_image
from endpoint.engines import ENDPOINT_ENGINES

from .loading import TABLE

runs: dict[str, list[list[int]]] = {"det": [], "rec": []}


class CountingSession(onnxruntime.InferenceSession):  # type: ignore[misc]
    """A session that notes the shapes of its inputs."""

    def run(self, output_names: Sequence[str], input_feed: dict[str, object], run_options: object = None) -> object:
        """Run the network."""
        part = "det" if "_det_" in self._model_path else "rec"
        runs[part] += [[*array.shape] for array in input_feed.values()]  # type: ignore[attr-defined]
        return super().run(output_names, input_feed, run_options)


def main(folder: str, image: str) -> None:
    """Print a JSON object."""
    onnxruntime.InferenceSession = CountingSession  # before rapidocr imports it
    models = ModelSet(load_catalogue(TABLE), Path(folder), [TEXT], engines=ENDPOINT_ENGINES)
    pixels = decode_image(Path(image).read_bytes())
    assert pixels is not None
    for shapes in runs.values():
        shapes.clear()  # of the image that loads the networks
    lines = models.detect(pixels, [TEXT])[TEXT].lines
    sys.stdout.write(json.dumps(runs | {"text": [line.text for line in lines]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
