"""The observer of every function but transform: logs by Powertools, traces by the X-Ray SDK.

The SDK also traces the calls of boto3. Outside Lambda nothing is traced. Metrics and logs go to standard output.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from aws_xray_sdk.core.models.entity import Entity

from darkroom.aws.telemetry import EmfMetrics, Observer, bound_fields, namespace, service_name, to_json
from darkroom.aws.telemetry.traces import (
    LOCAL,
    VARIABLE,
    Annotation,
    Document,
    Traces,
    XRayDaemon,
    mark,
    put_annotation,
    put_metadata,
)
from darkroom.errors import get_error_code, is_fault

_SDK_CALL_FIELDS = {"operation", "region", "request_id", "id_2", "retries", "bucket_name", "table_name", "queue_url"}
"""Fields of AWS calls that are sent: not the keys of objects, which the SDK records too."""


class PowertoolsObserver(Observer):
    """Observes ``function``, one message or request after the other, and its calls of boto3."""

    def __init__(self, function: str, *, publishes_times: bool = True) -> None:
        super().__init__(function, EmfMetrics(namespace()), _SdkTraces(_Daemon()), publishes_times=publishes_times)
        self._logger = Logger(
            service=service_name(),
            stream=cast(IO[str], _StandardOutput()),
            logger_formatter=_Formatter(utc=True, use_rfc3339=True, location=None, json_deserializer=str),
        )

    def log(self, level: str, message: str, **fields: object) -> None:
        write = getattr(self._logger, level.lower())
        write(message, extra={_FIELDS: {**bound_fields(), **fields}})


_FIELDS = "darkroom_fields"
_recorder: Any = xray_recorder  # its types know neither times nor emitters of other kinds


class _StandardOutput:
    """The current standard output."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class _Formatter(LambdaPowertoolsFormatter):
    """Powertools' log lines with fields of any name: some are reserved as keys of a LogRecord."""

    def serialize(self, log: Any) -> str:
        fields = log.pop(_FIELDS, {})
        return to_json({**log, **fields})


class _SdkTraces(Traces):
    """Subsegments by the SDK."""

    def __init__(self, daemon: _Daemon) -> None:
        super().__init__(daemon)
        logging.getLogger("aws_xray_sdk").setLevel(logging.ERROR)  # it logs a warning for every untraced call
        Tracer(disabled=not self.enabled, patch_modules=("botocore",))
        if self.enabled:
            _recorder.configure(emitter=daemon, context=_Context())

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        if self.header is None:
            yield
            return
        with _recorder.in_subsegment(name=name) as subsegment:
            failure = None
            try:
                yield
            except BaseException as error:
                failure = error  # raised below, outside the SDK, which would record the message
                _mark(subsegment, error)
        if failure is not None:
            raise failure

    def record(
        self, name: str, started_s: float, ended_s: float, stages_s: Mapping[str, float], namespace: str = LOCAL
    ) -> None:
        if self.header is None:
            return
        _recorder.begin_subsegment(name, namespace).start_time = started_s
        for stage, spent_s in stages_s.items():
            _recorder.begin_subsegment(stage).start_time = started_s
            started_s += spent_s
            _recorder.end_subsegment(started_s)
        _recorder.end_subsegment(ended_s)

    def annotate(self, name: str, value: Annotation) -> None:
        if subsegment := self._current():
            subsegment.put_annotation(name.replace("-", "_"), value)
        elif self._segment:
            put_annotation(self._segment, name, value)

    def add_metadata(self, name: str, value: object) -> None:
        if subsegment := self._current():
            subsegment.put_metadata(name, value)
        elif self._segment:
            put_metadata(self._segment, name, value)

    def record_error(self, error: BaseException) -> None:
        if subsegment := self._current():
            _mark(subsegment, error)
        elif self._segment:
            mark(self._segment, error)

    def current_id(self) -> str:
        subsegment, header = self._current(), self.header
        return str(subsegment.id) if subsegment else header.parent if header else ""

    def _current(self) -> Any:
        return _recorder.current_subsegment() if self.header else None


def _mark(subsegment: Any, error: BaseException) -> None:
    (subsegment.add_fault_flag if is_fault(error) else subsegment.add_error_flag)()
    subsegment.put_annotation("code", get_error_code(error))


class _Context(LambdaContext):
    """The SDK's own context compares the trace alone, and would reuse the previous segment of the same trace."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = threading.local()

    def get_trace_entity(self) -> Any:
        present = os.environ.get(VARIABLE)
        if getattr(self._seen, "variable", None) != present:
            self._seen.variable = present
            self.clear_trace_entities()
        return super().get_trace_entity()


class _Daemon(XRayDaemon):
    """The daemon as the SDK's emitter."""

    def send_entity(self, entity: Entity) -> None:
        """Send an entity of the SDK, without keys and error messages."""
        self.send(_redact(entity.to_dict()))


def _redact(document: Document) -> Document:
    """Return ``document`` without keys of objects and messages of exceptions."""
    kept: Document = dict(document)
    if "aws" in kept:
        kept["aws"] = {name: value for name, value in kept["aws"].items() if name in _SDK_CALL_FIELDS}
    if isinstance(cause := kept.get("cause"), dict):
        exceptions = [
            {name: value for name, value in one.items() if name != "message"} for one in cause.get("exceptions", ())
        ]
        kept["cause"] = cause | {"exceptions": exceptions}
    if "subsegments" in kept:
        kept["subsegments"] = [_redact(one) for one in kept["subsegments"]]
    return kept
