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


@dataclass(frozen=True, slots=True)
class StackPaths:
    """Files of one stack. ``state`` is ``.local`` unless several stacks run beside each other."""

    state: Path

    @property
    def stack_info(self) -> Path:
        """Return the description of the running stack."""
        return self.state / "stack.json"

    @property
    def invocable(self) -> Path:
        """Return the template for ``sam local invoke``."""
        return self.state / "invoke.json"

    @property
    def settings(self) -> Path:
        """Return the settings of the running stack, which are put in force when the file is saved."""
        return self.state / "settings.toml"

    @property
    def lock(self) -> Path:
        """Return the lock file of the running stack, which contains its process id."""
        return self.state / "running"

    @property
    def deployed(self) -> Path:
        """Return the file with the digest of the deployed sources."""
        return self.state / "deployed"

    @property
    def updated(self) -> Path:
        """Return the list of handlers that were updated without a deployment of the template, JSON."""
        return self.state / "updated.json"

    @property
    def alarms(self) -> Path:
        """Return the history of the alarms, JSON lines."""
        return self.state / "alarms.jsonl"

    @property
    def calls(self) -> Path:
        """Return the AWS API calls of functions with their permission results, JSON lines."""
        return self.state / "api-calls.jsonl"

    @property
    def requests(self) -> Path:
        """Return the AWS API requests with their parameters and what AWS's models do not allow in them, JSON lines."""
        return self.state / "api-requests.jsonl"

    @property
    def logs(self) -> Path:
        """Return the folder of logs, one file per tool."""
        return self.state / "logs"

    @property
    def ministack(self) -> Path:
        """Return the folder of MiniStack's data: service state and objects of buckets."""
        return self.state / "ministack"

    @property
    def sagemaker(self) -> Path:
        """Return the folder of SageMaker's state: the model registry and weights of variants."""
        return self.state / "sagemaker"

    @property
    def scratch(self) -> Path:
        """Return the folder where MiniStack unpacks functions; emptied at each start and end."""
        return self.state / "tmp"


@dataclass(frozen=True, slots=True)
class Ports:
    """-"""

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
