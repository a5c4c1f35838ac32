"""Invoke a SageMaker endpoint by boto3, one image per call; the server builds batches."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import ModelUnavailable, Unavailable
from darkroom.findings import ENDPOINT, Finding, finding_from_document

from .clients import translate_errors

UNREADABLE = "unreadable"
"""The code of an image that a model could not read."""

UNKNOWN_TASK = "unknown-task"
"""The endpoint's code for a task that it is not configured for: a fault of the deployment, not of the image."""

_DURATION_MS = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)

_RETRYABLE = frozenset({408, 429})
"""Statuses of the 4xx class that are not about the request."""


@dataclass(frozen=True, slots=True)
class InferenceResult:
    """What an endpoint says of an image: a finding for each task that it was asked for.

    ``variant`` is the production variant that answered, "" if SageMaker does not say (of an image that was refused).
    ``stages_ms`` is what the container says that it spent on each of its stages, one after the other; ``took_ms`` how
    long the whole call took, as seen from here; ``decode_ms`` how long it took after that to read the answer.
    """

    found: dict[str, Finding]
    variant: str
    stages_ms: dict[str, float]
    duration_ms: float
    decode_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Response:
    body: bytes
    variant: str
    attributes: str


class Endpoint:
    """The endpoint ``name``. ``client`` is one of ``sagemaker-runtime`` that does not try again by itself."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def invoke(
        self,
        image: bytes,
        tasks: Sequence[str],
        image_id: str,
        *,
        trace: str = "",
        variant: str = "",
        explains: bool = False,
    ) -> InferenceResult:
        """What the models say of ``image``, a JPEG or a PNG, for each of ``tasks``.

        An image that they refuse is a finding with an error. Raises ModelUnavailable for no answer in time, for a
        fault of the endpoint, and for an answer that is none. ``image_id`` and ``trace`` (the id of an X-Ray trace) are
        for the logs of SageMaker and of the container. ``variant`` is the production variant to ask; without one
        SageMaker draws one by their weights. ``explains``: what moderation flags is to be explained. The
        timeout of this call is sent along, so that the container does not work for a caller that has left.
        """
        started_s = time.perf_counter()
        try:
            with translate_errors(f"invoke {self._name}"):
                answer = self._invoke(image, tasks, image_id, trace, variant, explains)
        except Unavailable as error:
            raise ModelUnavailable(detail=error.detail) from error
        took_ms = (time.perf_counter() - started_s) * 1000
        if isinstance(answer, str):
            refused = {task: Finding(task, self._name, "", error=answer) for task in tasks}
            return InferenceResult(refused, variant, {}, took_ms)
        found = _parse_findings(answer.body, tasks)
        decode_ms = (time.perf_counter() - started_s) * 1000 - took_ms
        return InferenceResult(found, answer.variant, parse_stages_ms(answer.attributes), took_ms, decode_ms)

    def _invoke(
        self, image: bytes, tasks: Sequence[str], image_id: str, trace: str, variant: str, explains: bool
    ) -> _Response | str:
        """The answer, or the code of a refusal."""
        attributes = {
            "tasks": ",".join(tasks),
            "trace": trace,
            "explain": "1" if explains else "",
            "timeout": f"{self._client.meta.config.read_timeout * 1000:.0f}",
        }
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._name,
                Body=image,
                ContentType="image/png" if image.startswith(b"\x89PNG") else "image/jpeg",
                Accept="application/json",
                CustomAttributes=";".join(f"{name}={value}" for name, value in attributes.items() if value),
                InferenceId=image_id,
                **({"TargetVariant": variant} if variant else {}),
            )
        except ClientError as error:
            code = _refusal_code(error.response)
            if code is None:
                raise
            return code
        told_by = str(answer.get("InvokedProductionVariant", ""))
        return _Response(bytes(answer["Body"].read()), told_by, str(answer.get("CustomAttributes", "")))


def parse_stages_ms(attributes: str) -> dict[str, float]:
    """The stages of ``timing=queue:3.0,decode:12.1`` among custom attributes, in that order.

    What is none is left out: any container may answer, also one that says nothing of its time.
    """
    pairs = (attribute.partition("=") for attribute in attributes.split(";"))
    timing = next((value for name, _, value in pairs if name.strip() == "timing"), "")
    stages: dict[str, float] = {}
    for stage in timing.split(","):
        name, _, spent = stage.partition(":")
        if name.strip() and _DURATION_MS.fullmatch(spent):
            stages[name.strip()] = float(spent)
    return stages


def _refusal_code(response: Mapping[str, Any]) -> str | None:
    """The model's own code for refusing this image; None if that is not what happened.

    What the container answers but 2xx, SageMaker wraps into a ModelError.
    """
    status = int(response.get("OriginalStatusCode") or 0)
    if not 400 <= status < 500 or status in _RETRYABLE:
        return None
    try:
        code = str(json.loads(response["OriginalMessage"])["code"])
    except (KeyError, TypeError, ValueError):
        return UNREADABLE
    return None if code == UNKNOWN_TASK else code


def _parse_findings(body: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
    try:
        documents = json.loads(body)["tasks"]
        return {task: replace(finding_from_document(task, documents[task]), origin=ENDPOINT) for task in tasks}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(detail=f"the answer cannot be read: {error!r}") from error
