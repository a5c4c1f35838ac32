"""Load every model of the endpoint in the interpreter that runs this, and analyse an image with each.

``python -m tests.component.endpoint.loading MODELS IMAGE`` prints onnxruntime's version and providers, and what was
found.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnxruntime

from darkroom.findings import finding_to_document
from darkroom_analysis.models.catalogue import load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from endpoint.decode import decode_image
from endpoint.engines import ENDPOINT_ENGINES

TABLE = Path(__file__).parents[3] / "endpoint" / "models.toml"


def main(folder: str, image: str) -> None:
    """Print a JSON object."""
    catalogue = load_catalogue(TABLE)
    models = ModelSet(catalogue, Path(folder), engines=ENDPOINT_ENGINES)
    pixels = decode_image(Path(image).read_bytes())
    assert pixels is not None
    [found] = models.detect_batch([pixels], [catalogue.tasks])
    document = {
        "version": onnxruntime.__version__,
        "providers": onnxruntime.get_available_providers(),
        "found": {task: finding_to_document(one, vectors=True) for task, one in found.items()},
    }
    sys.stdout.write(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
