"""Bursts of cache misses on the running stack: reserved concurrency bounds the renders."""

from __future__ import annotations

from itertools import chain

import pytest

from cli import local_stack
from tests.images.photographs import jpeg_photo

from .conftest import Stack
from .spike.run import KINDS, SpikeKind, run_spike
from .spike.stack import RunningStack

VIEWERS = 30
AT_ONCE = 3


@pytest.fixture(scope="module")
def stage(stack: Stack) -> RunningStack:
    """The stack, in the form that the spikes use."""
    return RunningStack(local_stack.read(stack.state))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_burst_of_misses(stage: RunningStack, kind: SpikeKind) -> None:
    outcome = run_spike(stage, kind, VIEWERS, AT_ONCE, jpeg_photo())
    assert list(outcome.faults()) == []
    statuses = {answer.status for answer in chain.from_iterable(viewer.answers for viewer in outcome.viewers)}
    if kind.distinct:
        assert len(outcome.renders) == VIEWERS
        assert statuses == {200, 429}, "more were asked for than may be rendered at a time"
    elif kind.collapsing:
        assert (len(outcome.renders), statuses) == (1, {200})
    else:
        assert 1 <= len(outcome.renders) <= AT_ONCE
