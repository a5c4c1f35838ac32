"""Measure, print, and write the tables of docs/guides/similarity.md: ``python -m bench.similarity``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray

from cli.models.fetch_models import PLACES, fetch
from darkroom.findings import SIMILARITY
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.model_set import ModelSet

from ..machine import describe_processor
from ..page import Markers, write_tables
from ..paths import ROOT
from . import recall, search
from .alterations import load_photographs

PAGE = ROOT / "docs" / "guides" / "similarity.md"
MARKERS = Markers("<!-- measured by `python -m bench.similarity`, do not edit -->", "<!-- end of what was measured -->")


def main() -> None:
    """Measure everything."""
    folder = ROOT / ".local" / "models"
    fetch(PLACES["lambda"], folder)
    known = catalogue.load_catalogue(catalogue.SMALL_MODELS)
    models, name = ModelSet(known, folder, [SIMILARITY]), known.get(SIMILARITY).name

    def embed(image: NDArray[np.uint8]) -> Sequence[float]:
        return models.detect(image, [SIMILARITY])[SIMILARITY].vector

    images = load_photographs(Path(skimage.__file__).parent / "data")
    tables = [recall.format_table(images, embed, name), search.format_table(describe_processor())]
    for each in tables:
        print(each.text() + "\n")
    write_tables(PAGE, tables, MARKERS)


if __name__ == "__main__":
    main()
