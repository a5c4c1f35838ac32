"""From queue messages to the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...aws.queues import Queue
from .. import inbox
from ..received import Message
from .orders import read_order
from .service import Refine


@dataclass(frozen=True)
class Inbox(inbox.Inbox):
    """The queue of what is to be refined. ``spare_s``: five encodes of ten seconds each, and their scores."""

    work: ClassVar[str] = "refine"
    spare_s: ClassVar[float] = 60.0

    refine: Refine
    queue: Queue

    def handle(self, message: Message) -> None:
        """Refine what ``message`` names; raises BadUpload, or what the service raises."""
        order = read_order(message.body)
        self.observer.note("key", order.name)
        outcome = self.refine.handle(order)
        self.tell(message, outcome, name=order.name, hits=order.hits)

    def hide(self, message: Message, seconds: float) -> None:
        """Let ``message`` wait in its queue."""
        self.queue.hide(message.receipt_handle, seconds)
