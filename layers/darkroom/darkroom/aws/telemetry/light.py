"""The observer of the transform function: what it needs is there when Python has started, or nearly."""

from __future__ import annotations

from . import lines
from .base import BaseObserver, namespace
from .daemon import Daemon
from .emf import EmfMetrics
from .traces import LightTraces


class LightObserver(BaseObserver):
    """Watches the work of ``function``, one request after the other; see :class:`darkroom.aws.observer.Observer`.

    It does not see calls of S3, which obstore makes.
    """

    def __init__(self, function: str) -> None:
        super().__init__(function, EmfMetrics(namespace()), LightTraces(Daemon()))

    def log(self, level: str, message: str, **fields: object) -> None:
        """See the protocol."""
        lines.log(level, message, **fields)
