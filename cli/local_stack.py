"""Addresses of a local stack for tools that otherwise use AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATE = Path(__file__).resolve().parent.parent / ".local"
"""State folder of a stack started without ``--state-dir``."""


ENDPOINT = "darkroom"
"""Name of its SageMaker endpoint."""


def read(state: Path) -> Mapping[str, Any]:
    """Read ``stack.json`` of the stack that runs with the state folder ``state``. Raises ValueError if none runs."""
    try:
        info: Mapping[str, Any] = json.loads((state / "stack.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"No stack runs in {state}. Start one by `make run`.") from None
    return info


def environment(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables with which AWS clients use its services instead of a real account's."""
    sagemaker = info["sagemaker_url"] or info["aws_endpoint_url"]
    return {
        "AWS_ENDPOINT_URL": info["aws_endpoint_url"],
        "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker,
        "AWS_REGION": info["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
