"""Print the table: ``python -m bench.upscale MODELS``; ``darkroom upscale-model`` makes the folder MODELS.

The photographs are those of :mod:`bench.enhance`, at 320 px. Each is reduced to 80 px, without loss and as a JPEG of
quality 75, and enlarged again. Scores are SSIMULACRA2 against the original and do not depend on load. An image takes
5 s on a free core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import fmean

import numpy as np
import pyvips
from PIL import Image

from darkroom.findings import UPSCALE
from darkroom.imaging.colour.convert import resize_to
from darkroom.imaging.quality.ssimulacra2 import Comparator
from darkroom.plan.geometry.layout import Size
from darkroom_analysis.models.catalogue import ModelCatalogue, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_pipeline.reencode.upscale import (
    BLUR_RATIOS,
    MAX_CONSISTENCY_LOSS_DB,
    correct,
    measure_blur,
    measure_consistency,
)
from endpoint.engines import ENDPOINT_ENGINES

from ..enhance.__main__ import load_photographs
from ..tables import Table

FACTOR = 4
QUALITY = 75


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of one enlargement by each method, and what the service measures of that by the model.

    ``loss_db`` is the loss of consistency, ``ratio`` that of blurs.
    """

    name: str
    bicubic: float
    lanczos: float
    model: float
    corrected: float
    loss_db: float
    ratio: float

    @property
    def is_taken(self) -> bool:
        """Whether the service would take the model's image."""
        return self.loss_db <= MAX_CONSISTENCY_LOSS_DB and BLUR_RATIOS[0] <= self.ratio <= BLUR_RATIOS[1]

    @property
    def gain(self) -> float:
        """Points of the model's corrected image above Lanczos."""
        return self.corrected - self.lanczos


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1])
    model = load_catalogue(folder / "models.toml").get(UPSCALE)
    models = ModelSet(ModelCatalogue({UPSCALE: model}), folder, engines=ENDPOINT_ENGINES)
    results = list(_measure(models))
    headings = ["", "bicubic", "Lanczos", "model", "model, corrected", "loss, dB", "blur", "taken"]
    print(Table("Scores of enlargements", headings, [_format(one) for one in results]).markdown())
    for what, chosen in (
        ("all", results),
        ("taken", [one for one in results if one.is_taken]),
        ("not taken", [one for one in results if not one.is_taken]),
    ):
        gains = [one.gain for one in chosen]
        worse = sum(gain < 0 for gain in gains)
        print(f"{what}: {len(gains)}, {fmean(gains):+.1f} over Lanczos, {worse} worse, from {min(gains):+.1f}")


def _format(one: Result) -> list[str]:
    scores = (one.bicubic, one.lanczos, one.model, one.corrected, one.loss_db)
    return [one.name, *(f"{score:.1f}" for score in scores), f"{one.ratio:.2f}", "yes" if one.is_taken else ""]


def _measure(models: ModelSet) -> Iterator[Result]:
    for name, whole in load_photographs():
        image = whole if whole.bands == 3 else whole.extract_band(0, n=3)
        original = image.crop(0, 0, *(side // FACTOR * FACTOR for side in (image.width, image.height))).copy_memory()
        source = original.resize(1 / FACTOR).copy_memory()
        compressed = pyvips.Image.new_from_buffer(source.jpegsave_buffer(Q=QUALITY), "").copy_memory()
        for how, one in (("", source), (", JPEG", compressed)):
            yield _compare(name + how, original, one, models)


def _compare(name: str, original: pyvips.Image, source: pyvips.Image, models: ModelSet) -> Result:
    size = Size(original.width, original.height)
    bicubic = resize_to(source, size)
    lanczos = np.asarray(Image.fromarray(source.numpy()).resize(size, Image.Resampling.LANCZOS))
    raster = models.detect(source.numpy(), [UPSCALE])[UPSCALE].raster
    model = _to_vips(np.asarray(Image.open(BytesIO(raster))))
    corrected = correct(model, source)
    comparator = Comparator(original)
    scores = {
        method: comparator.score(one.pngsave_buffer(compression=1))
        for method, one in (
            ("bicubic", bicubic),
            ("lanczos", _to_vips(lanczos)),
            ("model", model),
            ("corrected", corrected),
        )
    }
    loss_db = measure_consistency(bicubic, source) - measure_consistency(model, source)
    ratio = measure_blur(corrected) / measure_blur(bicubic)
    return Result(name, **scores, loss_db=loss_db, ratio=ratio)


def _to_vips(pixels: np.ndarray) -> pyvips.Image:
    return pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")


if __name__ == "__main__":
    main()
