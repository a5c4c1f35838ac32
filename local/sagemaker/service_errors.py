"""Error responses of SageMaker, so that an SDK raises the same exceptions as on AWS.

Codes and statuses are those of botocore's service model (sagemaker-runtime 2017-05-13); messages of the model error are
those of AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MESSAGE_CHARS = 2048
"""Maximum length of a message (botocore's shape ``Message``)."""

MODEL_ERROR_STATUS = 424
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error response. ``members`` are the fields of its document beside ``Message``."""

    code: str
    status: int
    message: str
    members: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the body."""
        return {"Message": self.message[:MESSAGE_CHARS], **self.members}


class RequestError(Exception):
    """A call fails with the response ``fault``."""

    def __init__(self, fault: ServiceError) -> None:
        super().__init__(fault.message)
        self.fault = fault


def validation(message: str) -> ServiceError:
    """Return the runtime API's error for an invalid request."""
    return ServiceError("ValidationError", HTTPStatus.BAD_REQUEST, message)


def invalid(message: str) -> ServiceError:
    """Return the control API's error for an invalid request, which has another code."""
    return ServiceError("ValidationException", HTTPStatus.BAD_REQUEST, message)


def unavailable() -> ServiceError:
    """Return the error for a variant whose container accepts no connections."""
    return ServiceError(
        "ServiceUnavailable", HTTPStatus.SERVICE_UNAVAILABLE, "The service is unavailable. Try your call again."
    )


def broken() -> ServiceError:
    """Return the error for a container that closed the connection during the call."""
    return ServiceError("InternalFailure", HTTPStatus.INTERNAL_SERVER_ERROR, "An internal failure occurred.")


def model_error(status: int, message: str) -> ServiceError:
    """Return the error for a container that answered ``status`` and ``message``; ``status`` 0 is a timeout."""
    side = "client" if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else "server"
    text = f'Received {side} error ({status}) from primary with message "{message}".'
    return ServiceError(
        "ModelError",
        MODEL_ERROR_STATUS,
        f"{text} See this stack's logs/endpoint.log for more information.",
        {"OriginalStatusCode": status, "OriginalMessage": message[:MESSAGE_CHARS], "LogStreamArn": ""},
    )


def timed_out() -> ServiceError:
    """Return the error for a container that exceeded SageMaker's timeout."""
    return model_error(0, _TIMED_OUT)
