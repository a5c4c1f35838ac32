"""What a function tells of its work: log lines, metrics (EMF) and X-Ray segments, by one protocol.

Two classes keep it: :class:`darkroom.aws.telemetry.LightObserver`, which imports nothing of third parties and so costs
a cold start little, and :class:`darkroom.aws.telemetry.powertools.PowertoolsObserver`, which sees the calls
of boto3 as well. The same calls make the same lines and the same segments of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class Observer(Protocol):
    """Watches a function, one request or message after the other. No method of it ever fails the work it watches."""

    timings_ms: dict[str, float]
    """Time spent in each step since the work began, by the step's name."""

    def begin(self, context: object = None) -> None:
        """Start on the next piece of work: what the last one counted is written, and its timings begin anew.

        ``context`` is Lambda's, at the start of an invocation: log lines bear its request id, the function's name, ARN
        and memory, and whether this is the first invocation of the process. Without it they bear what they did.
        """

    def message(
        self, name: str, /, *, trace_header: str = "", correlation_id: str = "", **fields: str
    ) -> AbstractContextManager[None]:
        """One piece of work from beginning to end: a step called ``name``, and then a flush.

        Its log lines bear ``fields`` and ``correlation_id`` (that of the invocation if there is none). Of the trace the
        fields are metadata, so that they may hold keys; the correlation id is an annotation to search by.
        ``trace_header`` (``Root=…;Parent=…;Sampled=…``) is that of the hop before: if it names another trace than the
        invocation's, the work is a segment of its own in that trace instead of a subsegment in this one.
        """

    def step(self, name: str) -> AbstractContextManager[None]:
        """Time what is done inside, under ``name`` (a word of the code's own): subsegment, metric and ``timings_ms``.

        A refusal marks the subsegment as an error, anything else that is raised as a fault, by its code or class alone:
        messages may quote what users sent.
        """

    def record_stages(self, stages_ms: Mapping[str, float], *, started_s: float) -> None:
        """Steps that were timed elsewhere and are over: one after the other from ``started_s`` (unix time)."""

    def record_remote_call(
        self, name: str, stages_ms: Mapping[str, float], *, started_s: float, ended_s: float
    ) -> None:
        """A call of another service that is over, with the stages that it told of: of the trace alone."""

    def count(self, metric: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
        """Add ``value`` to ``metric``, by the dimensions ``service``, ``function`` and ``dimensions`` together.

        Dimensions have few values, such as error codes: never a key. A metric that is wanted both by a dimension and
        without it is counted twice.
        """

    def flush(self) -> None:
        """Write what has been counted since the last time, a line for each set of dimensions."""

    def annotate(self, name: str, value: str | int | bool) -> None:
        """Make the trace of the innermost step, if any, findable by ``value``. Of few values, and never a key."""

    def add_metadata(self, name: str, value: object) -> None:
        """Write ``value`` beside the innermost step, if any, as metadata, which cannot be searched for."""

    def record_error(self, error: BaseException) -> None:
        """Mark the innermost step as one that ended in ``error``, where that is answered instead of raised."""

    def log(self, level: str, message: str, **fields: object) -> None:
        """Write one log line. ``fields`` must be JSON values; anything else is written as its text."""

    def trace_id(self) -> str:
        """The X-Ray trace that the work belongs to, "" if none."""

    def trace_header(self) -> str:
        """What the next hop is to be told, so that its segment is below the innermost step; "" if nothing is traced."""
