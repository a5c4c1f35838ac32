"""Where things of the local stack are, and how it is set up."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, str(ROOT / "cli"))
"""How a process starts the command ``darkroom``."""

VENVS = ROOT / ".local" / "venvs"
"""Installed tools, shared by every stack of this checkout."""

MODELS = ROOT / ".local" / "models"
"""Models of the endpoint, shared too."""

REGION = "us-east-1"
STACK = "darkroom"
ENDPOINT = "darkroom"
"""Name of the SageMaker endpoint."""

CDN_PORT = 8088
AWS_PORT = 4566
CONTROL = "/_local"
"""Prefix of the stack's own pages on the CDN's port. Only their very paths are taken from pictures, and here only."""


@dataclass(frozen=True, slots=True)
class StackPaths:
    """One stack's state on disk: ``state`` is ``.local`` unless several stacks run beside each other."""

    state: Path

    @property
    def facts(self) -> Path:
        """What others need to know about the running stack."""
        return self.state / "stack.json"

    @property
    def invocable(self) -> Path:
        """A template for ``sam local invoke``."""
        return self.state / "invoke.json"

    @property
    def lock(self) -> Path:
        """Locked by the running stack, whose process id it holds."""
        return self.state / "running"

    @property
    def deployed(self) -> Path:
        """Digest of the sources that are deployed."""
        return self.state / "deployed"

    @property
    def alarms(self) -> Path:
        """What alarms have done, as JSON lines."""
        return self.state / "alarms.jsonl"

    @property
    def calls(self) -> Path:
        """AWS API calls of functions, and whether their roles allow them, as JSON lines."""
        return self.state / "api-calls.jsonl"

    @property
    def logs(self) -> Path:
        """Folder of logs, one file a tool."""
        return self.state / "logs"

    @property
    def ministack(self) -> Path:
        """Folder of MiniStack's data: state of its services, objects of its buckets."""
        return self.state / "ministack"

    @property
    def sagemaker(self) -> Path:
        """Folder of what SageMaker would remember: the model registry, weights of variants."""
        return self.state / "sagemaker"

    @property
    def scratch(self) -> Path:
        """Folder of what MiniStack unpacks to run functions; emptied at each start and end."""
        return self.state / "tmp"


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports on 127.0.0.1."""

    cdn: int = CDN_PORT
    aws: int = AWS_PORT

    @property
    def cdn_url(self) -> str:
        """The CDN's address."""
        return f"http://127.0.0.1:{self.cdn}"

    @property
    def aws_url(self) -> str:
        """MiniStack's address."""
        return f"http://127.0.0.1:{self.aws}"


def architecture() -> str:
    """This machine's processor in Lambda's words."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
