"""Print the tables: ``python -m bench.enhance``.

The photographs are those of scikit-image's package and of Debian's packages of wallpapers (:mod:`bench.mezzanines`).
Scores are SSIMULACRA2 against the original at 320 px, and do not depend on load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import fmean

import numpy as np
import pyvips
from numpy.typing import NDArray

from darkroom.imaging.quality.ssimulacra2 import Comparator
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan

from ..mezzanines.comparing import list_files, name_of
from ..tables import Table

SIDE_PX = 320
SAMPLES = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

type Values = NDArray[np.float64]
"""An image: height × width × 3 sRGB values from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of an image: as it is, with ``enh=auto`` and with ``wb=1``."""

    plain: float
    enhanced: float
    balanced: float


def main() -> None:
    """Measure and print."""
    results = {name: dict(_measure(image)) for name, image in load_photographs()}
    rows = [[name, f"{one['none'].enhanced:.1f}", f"{one['none'].balanced:.1f}"] for name, one in results.items()]
    print(Table("Photographs as they are", ["", "enh=auto", "wb=1"], rows).markdown())
    rows = [[how, *_summarise([one[how] for one in results.values()])] for how in DEGRADE if how != "none"]
    headings = ["", "degraded", "enh=auto", "better", "worse", "largest loss", "wb=1"]
    print(Table(f"Degraded copies of {len(results)} photographs, mean scores", headings, rows).markdown())


def _summarise(results: list[Result]) -> list[str]:
    gains = [one.enhanced - one.plain for one in results]
    means = [fmean(one.plain for one in results), fmean(one.enhanced for one in results)]
    counts = [sum(gain > 0.5 for gain in gains), sum(gain < -0.5 for gain in gains)]
    balanced = fmean(one.balanced for one in results)
    return [f"{means[0]:.1f}", f"{means[1]:.1f}", *map(str, counts), f"{max(0, -min(gains)):.1f}", f"{balanced:.1f}"]


def load_photographs() -> Iterator[tuple[str, pyvips.Image]]:
    package = Path(str(files("skimage"))) / "data"
    for path in [*(package / name for name in SAMPLES), *list_files()]:
        image = pyvips.Image.thumbnail(str(path), SIDE_PX, height=SIDE_PX).colourspace("srgb")
        yield name_of(path).replace("_", " "), image.copy_memory()


def _measure(image: pyvips.Image) -> Iterator[tuple[str, Result]]:
    original = Comparator(image)
    for how, degrade in DEGRADE.items():
        values = np.clip(degrade(image.numpy() / 255), 0, 1)
        degraded = pyvips.Image.new_from_array(np.rint(values * 255).astype(np.uint8)).copy(interpretation="srgb")
        source = degraded.pngsave_buffer(compression=1)
        plans = (Plan("", format="png"), Plan("", enhance="auto", format="png"))
        bodies = [_render(plan, source) for plan in (*plans, Plan("", white_balance=True, format="png"))]
        scores = {body: original.score(body) for body in set(bodies)}
        yield how, Result(*(scores[body] for body in bodies))


def _render(plan: Plan, source: bytes) -> bytes:
    return render(plan, Source.from_bytes(source), limits=Limits()).body


def _multiply(*gains: float) -> Callable[[Values], Values]:
    """Return the function that multiplies the light of each channel."""

    def change(values: Values) -> Values:
        light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) * gains
        curve = 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055
        return np.asarray(np.where(light <= 0.0031308, light * 12.92, curve))

    return change


DEGRADE: Mapping[str, Callable[[Values], Values]] = {
    "none": lambda values: values,
    "1.5 EV dark": _multiply(0.35),
    "2 EV dark": _multiply(0.25),
    "washed out, 70 % contrast": lambda values: values * 0.7 + 0.22,
    "washed out, 55 % contrast": lambda values: values * 0.55 + 0.3,
    "gamma 1.5": lambda values: values**1.5,
    "warm": _multiply(1.12, 1, 0.85),
    "cool": _multiply(0.85, 1, 1.12),
    "green": _multiply(0.9, 1.08, 0.9),
    "magenta": _multiply(1.08, 0.85, 1.08),
}


if __name__ == "__main__":
    main()
