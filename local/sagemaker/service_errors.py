"""Errors as SageMaker sends them, so that an SDK raises what it raises on AWS.

Codes and statuses are those of botocore's service model (sagemaker-runtime 2017-05-13), the model error's sentences
those that AWS answers with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MESSAGE_CHARS = 2048
"""Longest message (botocore's shape ``Message``)."""

MODEL_ERROR_STATUS = 424
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An answer that is an error. ``members`` are what its document has beside ``Message``."""

    code: str
    status: int
    message: str
    members: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The body."""
        return {"Message": self.message[:MESSAGE_CHARS], **self.members}


class RequestError(Exception):
    """The call is answered with ``fault``."""

    def __init__(self, fault: ServiceError) -> None:
        super().__init__(fault.message)
        self.fault = fault


def validation(message: str) -> ServiceError:
    """The request is wrong."""
    return ServiceError("ValidationError", HTTPStatus.BAD_REQUEST, message)


def invalid(message: str) -> ServiceError:
    """The same of the control API, which calls it otherwise."""
    return ServiceError("ValidationException", HTTPStatus.BAD_REQUEST, message)


def unavailable() -> ServiceError:
    """The variant has no container that takes connections."""
    return ServiceError(
        "ServiceUnavailable", HTTPStatus.SERVICE_UNAVAILABLE, "The service is unavailable. Try your call again."
    )


def broken() -> ServiceError:
    """The container was lost in the middle of the call."""
    return ServiceError("InternalFailure", HTTPStatus.INTERNAL_SERVER_ERROR, "An internal failure occurred.")


def model_error(status: int, message: str) -> ServiceError:
    """The container answered with ``status`` and ``message``; ``status`` 0 is no answer in time."""
    side = "client" if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else "server"
    told = f'Received {side} error ({status}) from primary with message "{message}".'
    return ServiceError(
        "ModelError",
        MODEL_ERROR_STATUS,
        f"{told} See this stack's logs/endpoint.log for more information.",
        {"OriginalStatusCode": status, "OriginalMessage": message[:MESSAGE_CHARS], "LogStreamArn": ""},
    )


def timed_out() -> ServiceError:
    """The container did not answer within SageMaker's limit."""
    return model_error(0, _TIMED_OUT)
