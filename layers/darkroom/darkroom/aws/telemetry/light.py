"""The observer of the transform function: what it needs is there when Python has started, or nearly."""

from __future__ import annotations

from . import logs
from .base import BaseObserver, namespace
from .emf import EmfMetrics
from .traces import LightTraces
from .xray_daemon import XRayDaemon


class LightObserver(BaseObserver):
    """Observes ``function``, one request after the other; see :class:`darkroom.aws.telemetry.protocol.Observer`.

    It does not see calls of S3, which obstore makes.
    """

    def __init__(self, function: str) -> None:
        super().__init__(function, EmfMetrics(namespace()), LightTraces(XRayDaemon()))

    def log(self, level: str, message: str, **fields: object) -> None:
        """See the protocol."""
        logs.log(level, message, **fields)
