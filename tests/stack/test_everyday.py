"""Some cells of the everyday matrix, drawn at random; `make test-all` runs all of them."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.everyday.kinds import load_kinds
from tests.everyday.matrix import UPLOADED, Matrix, list_cells

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer

pytestmark = pytest.mark.smoke

DRAWN = 16


def test_cells_of_the_day_follow_their_rules(stack: Stack, viewer: Viewer, tmp_path: Path) -> None:
    """``EVERYDAY_SEED`` repeats a draw."""
    seed = os.environ.get("EVERYDAY_SEED") or f"{datetime.now(UTC):%Y-%m-%d}"
    print(f"EVERYDAY_SEED={seed}")
    kinds = [kind for kind in load_kinds() if kind.is_there and not kind.converted and not kind.refused]
    cells = random.Random(seed).sample([cell for kind in kinds for cell in list_cells(kind)], DRAWN)
    matrix = Matrix(stack, viewer, Operator(stack, tmp_path))
    uploaded = list(dict.fromkeys(cell.kind for cell in cells if cell.origin == UPLOADED))
    for kind in uploaded:
        matrix.send(kind, UPLOADED)
    assert [(kind.name, state) for kind in uploaded if (state := matrix.settle(kind)) != "ready"] == []
    problems = [f"{cell.kind.name} | {problem}" for cell in cells if (problem := matrix.look(cell))]
    assert problems == [], "\n".join([f"EVERYDAY_SEED={seed}", *problems])
