"""Answer CloudFormation about a custom resource: one response for each request, before the function's time is over.

Without a response CloudFormation waits for the resource's ServiceTimeout, by default an hour, and so does its rollback.
Sources: CloudFormation user guide, "Custom resource request objects" and "Custom resource response objects"; AWS's
module ``cfnresponse``, whose request has an empty content type, because the URL is signed without one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from urllib3 import PoolManager, Retry, Timeout

from darkroom.errors import DarkroomError, Unavailable

from .clients import CONNECT_S, translate_errors

CREATE, UPDATE, DELETE = "Create", "Update", "Delete"

SPARE_S = 15.0
"""Time that is kept for the response."""

MAX_REASON_BYTES = 2_000
"""Of a reason: the response has at most 4,096 bytes, and its other fields are names of at most 1 KB."""

_PASSING = (429, 500, 502, 503, 504)
_READ_S = 5.0


@dataclass
class _Response:
    """The response to ``request``, which is sent once."""

    request: Mapping[str, Any]
    physical_id: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sent: str | None = None

    def send(self, reason: str) -> str:
        """Send a failure for ``reason``, a success without one, unless one was sent. Return the reason that was sent.

        Raises Unavailable.
        """
        with self._lock:
            if self._sent is None:
                self._put(json.dumps(self._document(reason)).encode())
                self._sent = reason
            return self._sent

    def _document(self, reason: str) -> dict[str, str]:
        copied = {name: str(self.request[name]) for name in ("StackId", "RequestId", "LogicalResourceId")}
        status = {"Status": "FAILED", "Reason": _shorten(reason)} if reason else {"Status": "SUCCESS"}
        return {**status, "PhysicalResourceId": self.physical_id, **copied}

    def _put(self, body: bytes) -> None:
        retries = Retry(3, backoff_factor=0.3, status_forcelist=_PASSING, allowed_methods=None)
        with translate_errors("answer CloudFormation"), PoolManager() as pool:
            answer = pool.request(
                "PUT",
                self.request["ResponseURL"],
                body=body,
                headers={"Content-Type": ""},
                retries=retries,
                timeout=Timeout(connect=CONNECT_S, read=_READ_S),
            )
            if answer.status >= 400:
                raise Unavailable(detail=f"CloudFormation's bucket: {answer.status} {answer.data[:500]!r}")


def answer_request(
    request: Mapping[str, Any], physical_id: str, act: Callable[[], object], remaining_s: Callable[[], float]
) -> str:
    """Call ``act`` for a resource that is created or updated; answer. Return why it failed, "" for a success.

    The resource is ``physical_id``. Deletion is a success without a call. ``remaining_s`` is the time that is left:
    what is not done :data:`SPARE_S` before its end has failed. Raises Unavailable if the response cannot be sent, and
    KeyError for an event that is no such request.
    """
    if request["RequestType"] == DELETE:
        return _Response(request, str(request["PhysicalResourceId"])).send("")
    response = _Response(request, physical_id)
    limit_s = max(0.0, remaining_s() - SPARE_S)
    alarm = threading.Timer(limit_s, response.send, [f"It was not done within {limit_s:.0f} s."])
    alarm.daemon = True
    alarm.start()
    try:
        act()
        reason = ""
    except Exception as error:  # whatever it is, CloudFormation waits for a response
        reason = _describe(error)
    finally:
        alarm.cancel()
    return response.send(reason)


def is_rolling_back(cloudformation: Any, request: Mapping[str, Any]) -> bool:
    """Return whether the stack of ``request`` is being rolled back. Raises Unavailable."""
    with translate_errors("describe the stack"):
        [stack] = cloudformation.describe_stacks(StackName=request["StackId"])["Stacks"]
        return "ROLLBACK" in stack["StackStatus"]


def _describe(error: Exception) -> str:
    detail = error.detail if isinstance(error, DarkroomError) else ""
    return f"{type(error).__name__}: {' '.join(f'{error} {detail}'.split())}"


def _shorten(reason: str) -> str:
    """Cut a reason as it is sent: JSON escapes what is not ASCII."""
    while len(json.dumps(reason)) > MAX_REASON_BYTES:
        reason = reason[: len(reason) - max(1, len(reason) // 10)]
    return reason
