"""Paths, ports and names of the local stack."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, str(ROOT / "cli"))
"""The command ``darkroom``."""

VENVS = ROOT / ".local" / "venvs"
"""Installed tools, shared by all stacks of this checkout."""

MODELS = ROOT / ".local" / "models"
"""Models of the endpoint, shared by all stacks of this checkout."""

REGION = "us-east-1"
STACK = "darkroom"
ENDPOINT = "darkroom"
"""Name of the SageMaker endpoint."""

CDN_PORT = 8088
AWS_PORT = 4566
CONTROL = "/_local"
"""Prefix of the stack's own pages on the CDN's port. Only their exact paths are unavailable to images, and only
locally.
"""


class _Below:
    """A path below the state folder of :class:`StackPaths`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, paths: StackPaths, _: type) -> Path:
        return paths.state / self._name


@dataclass(frozen=True, slots=True)
class StackPaths:
    """Files of one stack. ``state`` is ``.local`` unless several stacks run beside each other."""

    state: Path

    stack_info = _Below("stack.json")
    """The description of the running stack."""

    invocable = _Below("invoke.json")
    """The template for ``sam local invoke``."""

    settings = _Below("settings.toml")
    """The settings of the running stack, which are put in force when the file is saved."""

    lock = _Below("running")
    """The lock file of the running stack, which contains its process id."""

    deployed = _Below("deployed")
    """The file with the digest of the deployed sources."""

    updated = _Below("updated.json")
    """The list of handlers that were updated without a deployment of the template, JSON."""

    alarms = _Below("alarms.jsonl")
    """The history of the alarms, JSON lines."""

    calls = _Below("api-calls.jsonl")
    """The AWS API calls of functions with their permission results, JSON lines."""

    requests = _Below("api-requests.jsonl")
    """The AWS API requests with their parameters and what AWS's models do not allow in them, JSON lines."""

    logs = _Below("logs")
    """The folder of logs, one file per tool."""

    ministack = _Below("ministack")
    """The folder of MiniStack's data: service state and objects of buckets."""

    sagemaker = _Below("sagemaker")
    """The folder of SageMaker's state: the model registry and weights of variants."""

    scratch = _Below("tmp")
    """The folder where MiniStack unpacks functions; emptied at each start and end."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of the CDN and of MiniStack."""

    cdn: int = CDN_PORT
    aws: int = AWS_PORT

    @property
    def cdn_url(self) -> str:
        """Return the CDN's address."""
        return f"http://127.0.0.1:{self.cdn}"

    @property
    def aws_url(self) -> str:
        """Return MiniStack's address."""
        return f"http://127.0.0.1:{self.aws}"

    def api_url(self, url: str) -> str:
        """Return where MiniStack serves the HTTP API whose address on AWS is ``url``, without a slash at the end."""
        return f"{self.aws_url}/_aws/execute-api/{_first_label(url)}"

    def function_url(self, url: str) -> str:
        """Return where MiniStack serves the Function URL ``url``."""
        return f"{self.aws_url}/_aws/lambda-url/{_first_label(url)}/"


def _first_label(url: str) -> str:
    """Return the first label of the host name, which is the id of an API or a Function URL."""
    return url.split("//", 1)[1].split(".", 1)[0]


def architecture() -> str:
    """Return this machine's architecture in Lambda's notation."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
