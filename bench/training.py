"""CPU time of fitting tags, written into docs/guides/training.md: ``python -m bench.training``.

Embeddings are drawn, as wide as those of the project's model, with features that are correlated, and tags that are
directions of them; of each tag, 3 % are wrong. A fifth of the images is for the test.
"""

from __future__ import annotations

import sys
import time

from cli.training.dataset import Dataset
from cli.training.head import train

from .page import Markers, write_tables
from .paths import ROOT
from .tables import Table

PAGE = ROOT / "docs" / "guides" / "training.md"
MARKERS = Markers("<!-- measured by `python -m bench.training`, do not edit -->", "<!-- end of what was measured -->")
WIDTH, FACTORS = 1280, 200
"""Features of an embedding, and independent factors that most of them follow."""

SIZES = ((264, 3), (1000, 10), (5000, 10))
"""Images for training, and tags."""

WRONG = 0.03


def draw_dataset(images: int, tags: int, width: int = WIDTH) -> Dataset:
    """Return a dataset with ``images`` for training and a fifth of all for the test; the same for the same numbers."""
    import numpy as np

    rng = np.random.default_rng(0)
    count = images * 5 // 4
    factors = rng.normal(size=(count, FACTORS)) / np.sqrt(np.arange(1, FACTORS + 1))
    has_tag = rng.random((count, tags)) < 0.3
    embeddings = np.abs(rng.normal(size=width)) * 2 + rng.normal(size=(count, width)) / 2
    embeddings += factors @ rng.normal(size=(FACTORS, width)) * 0.4 + has_tag @ rng.normal(size=(tags, width)) * 0.35
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    targets = has_tag ^ (rng.random(has_tag.shape) < WRONG)
    names = tuple(f"tag {number}" for number in range(tags))
    return Dataset(names, embeddings, targets, np.arange(count) % 5 == 4)


def measure(images: int, tags: int) -> float:
    """Return the CPU time of a fit in seconds."""
    dataset = draw_dataset(images, tags)
    started_s = time.process_time()
    train(dataset)
    return time.process_time() - started_s


def main() -> None:
    """Measure each size, print the table, and write it into the page."""
    rows = [[f"{images:,}", str(tags), f"{measure(images, tags):.1f} s"] for images, tags in SIZES]
    table = Table("Time of the fit", ("images for training", "tags", "CPU time"), rows)
    write_tables(PAGE, [table], MARKERS)
    sys.stdout.write(f"{table.text()}\n")


if __name__ == "__main__":
    main()
