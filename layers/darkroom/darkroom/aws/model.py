"""The models on a SageMaker endpoint, by boto3. One picture a call: the server behind it makes batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from ..errors import ModelUnavailable, Unavailable
from ..findings import ENDPOINT, Finding, read_finding
from .clients import asking

UNREADABLE = "unreadable"
"""The code of a picture that a model could not read."""

UNKNOWN_TASK = "unknown-task"
"""The endpoint's code for a task that it is not configured for: a fault of the deployment, not of the picture."""

_NOT_NOW = frozenset({408, 429})
"""Statuses of the 4xx class that are not about the request."""


class Endpoint:
    """The endpoint ``name``. ``client`` is one of ``sagemaker-runtime`` that does not try again by itself."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def find(self, jpeg: bytes, tasks: Sequence[str], image_id: str) -> dict[str, Finding]:
        """What the models say of a picture, by task; each of ``tasks`` is there.

        A picture that they refuse is a finding with an error. Raises ModelUnavailable for no answer in time, for a
        fault of the endpoint, and for an answer that is none. ``image_id`` is for SageMaker's logs and captured data.
        """
        try:
            with asking(f"invoke {self._name}"):
                answer = self._invoke(jpeg, tasks, image_id)
        except Unavailable as error:
            raise ModelUnavailable(detail=error.detail) from error
        if not isinstance(answer, bytes):
            return {task: Finding(task, self._name, "", error=answer) for task in tasks}
        return _read(answer, tasks)

    def _invoke(self, jpeg: bytes, tasks: Sequence[str], image_id: str) -> bytes | str:
        """The body of the answer, or the code of a refusal."""
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._name,
                Body=jpeg,
                ContentType="image/jpeg",
                Accept="application/json",
                CustomAttributes=f"tasks={','.join(tasks)}",
                InferenceId=image_id,
            )
        except ClientError as error:
            code = _refusal(error.response)
            if code is None:
                raise
            return code
        return bytes(answer["Body"].read())


def _refusal(response: Mapping[str, Any]) -> str | None:
    """The model's own code for refusing this picture; None if that is not what happened.

    What the container answers but 2xx, SageMaker wraps into a ModelError.
    """
    status = int(response.get("OriginalStatusCode") or 0)
    if not 400 <= status < 500 or status in _NOT_NOW:
        return None
    try:
        code = str(json.loads(response["OriginalMessage"])["code"])
    except (KeyError, TypeError, ValueError):
        return UNREADABLE
    return None if code == UNKNOWN_TASK else code


def _read(body: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
    try:
        documents = json.loads(body)["tasks"]
        return {task: replace(read_finding(task, documents[task]), by=ENDPOINT) for task in tasks}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(detail=f"the answer cannot be read: {error!r}") from error
