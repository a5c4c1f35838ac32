"""What the explanation of a flagged image costs: ``python -m bench.explanations``.

The moderation model of the layer runs in this process, as in the infer function, with all cells at once and in smaller
batches. Each way runs in a process of its own, whose peak of memory is that way's. The threshold is 0, so that the
photograph counts as flagged.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from skimage import data

from cli.models.fetch_models import PLACES, fetch
from darkroom.findings import MODERATION
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.explain import CELLS, explain
from darkroom_analysis.models.onnx_model import OnnxModel

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / ".local" / "models"
RUNS = 5
REPEATED = 4
"""Times that the photograph of 512 px is enlarged, to the side of a first view."""


def measure(batch_size: int) -> str:
    """Return the CPU time of a verdict and of an explanation, and the memory that explanations add."""
    fetch(PLACES["endpoint"], MODELS)
    spec = replace(catalogue.load_catalogue(catalogue.SMALL_MODELS).get(MODERATION), thresholds={"nsfw": 0.0})
    model = OnnxModel([spec], MODELS, 0)
    image = np.repeat(np.repeat(data.astronaut(), REPEATED, axis=0), REPEATED, axis=1)  # type: ignore[no-untyped-call]
    verdict_ms = median(_cpu_ms(lambda: model.detect_task(MODERATION, [image])) for _ in range(RUNS))
    before_kb = _peak_kb()
    runs = (
        _cpu_ms(lambda: explain(lambda all_, _: model.detect_task(MODERATION, all_, batch_size), image, spec))
        for _ in range(RUNS)
    )
    explanation_ms = median(runs)
    added_mb = (_peak_kb() - before_kb) / 1000
    return (
        f"{batch_size:2} at once: verdict {verdict_ms:.0f} ms, explanation {explanation_ms:.0f} ms, +{added_mb:.0f} MB"
    )


def _cpu_ms(work: Callable[[], object]) -> float:
    started_s = time.process_time()
    work()
    return (time.process_time() - started_s) * 1000


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print a line for each batch size."""
    if len(sys.argv) > 1:
        sys.stdout.write(measure(int(sys.argv[1])) + "\n")
        return
    for batch_size in (CELLS, 16, 1):
        subprocess.run([sys.executable, "-m", "bench.explanations", str(batch_size)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
