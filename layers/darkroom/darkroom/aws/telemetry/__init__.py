"""What the functions tell of their work, as far as it needs nothing of third parties; see :mod:`..observer`."""

from __future__ import annotations

from .light import LightObserver
from .logs import log

__all__ = ["LightObserver", "log"]
