"""What goes into a model for one picture, and what comes out for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ModelInput(NamedTuple):
    """One picture as a model takes it, without the axis of the batch.

    ``width`` and ``height`` are the part of it, in pixels, that the picture fills; the rest is padding.
    """

    tensor: NDArray[np.generic]
    width: int
    height: int


class ModelOutput(NamedTuple):
    """Each output for one picture, without the axis of the batch; what went in; and the model's labels, if any."""

    outputs: Sequence[NDArray[np.generic]]
    prepared: ModelInput
    labels: tuple[str, ...] = ()
