"""A stack on this machine, for tools that otherwise work on AWS: where its services are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATE = Path(__file__).resolve().parent.parent / ".local"
"""Where its facts are, unless it was started with another ``--state-dir``."""


ENDPOINT = "darkroom"
"""Name of its SageMaker endpoint."""


def read(state: Path) -> Mapping[str, Any]:
    """The facts of the stack that runs with the state folder ``state``; raises ValueError if none does."""
    try:
        facts: Mapping[str, Any] = json.loads((state / "stack.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"No stack runs in {state}. Start one by `make run`.") from None
    return facts


def environment(facts: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables by which AWS's clients find its services, and not a real account's."""
    sagemaker = facts["sagemaker_url"] or facts["aws_endpoint_url"]
    return {
        "AWS_ENDPOINT_URL": facts["aws_endpoint_url"],
        "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker,
        "AWS_REGION": facts["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
