"""Calling the endpoint to see whether it answers."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence

from ..aws.sagemaker import Endpoint
from ..errors import ModelUnavailable

GRAY = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk"
    "eFxlZ2P/wAALCABAAEABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAAAAAAAAAAAAAAAA"
    "AAAAAP/Z"
)
"""A JPEG of 64 × 64 gray pixels."""

IMAGE_ID = "0" * 32
"""What SageMaker's log calls it: no picture has this id."""


def endpoint_responds(endpoint: Endpoint, tasks: Sequence[str]) -> bool:
    """Whether ``endpoint`` says anything of a picture, in time."""
    try:
        endpoint.invoke(GRAY, tasks, IMAGE_ID)
    except ModelUnavailable:
        return False
    return True
