"""The everyday matrix: every kind of image × everything that Darkroom does with one, on a stack with inference.

Moderation blocks, derivatives are signed and every format is accepted, so that each cell passes through all of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.everyday.kinds import Kind, present_kinds
from tests.everyday.matrix import Matrix
from tests.stack.conftest import start_stack, stop_stack
from tests.stack.inference_client import InferenceClient
from tests.stack.operating import Operator

SETTINGS = (
    "moderation_policy=block",
    "sign_derivatives=true",
    'converted_formats=["bmp", "ico", "jp2", "jxl", "psd"]',
)

KINDS = present_kinds()


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Matrix]:
    """The stack, and the rows of this session."""
    rows = [kind for kind in KINDS if any(item.name.endswith(f"[{kind.name}]") for item in request.session.items)]
    options = [word for setting in SETTINGS for word in ("--parameter", setting)]
    running = start_stack(tmp_path_factory.mktemp("everyday"), "--no-watch", *options)
    viewer = running.viewer()
    inference = InferenceClient(running, viewer)
    inference.ready()
    yield Matrix(running, viewer, Operator(running, tmp_path_factory.mktemp("operator")), inference, rows)
    assert stop_stack(running) == 0


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_cell_follows_its_rule(matrix: Matrix, kind: Kind) -> None:
    count, problems = matrix.run_row(kind)
    print(f"{count} cells")
    assert problems == [], "\n".join(problems)
