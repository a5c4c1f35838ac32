"""Run the link's server as a child process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..paths import ROOT
from .tls import make_certificates

_by_tls = False


def use_tls(*, on: bool) -> None:
    """Let links that this process starts from now on serve HTTPS, or HTTP."""
    global _by_tls  # noqa: PLW0603 - an option of the whole command, as latency and bandwidth are constants
    _by_tls = on


def uses_tls() -> bool:
    """Return whether new links serve HTTPS."""
    return _by_tls


def describe_protocol() -> str:
    """Describe the connections of new links."""
    return "by TLS 1.3, verified by all" if _by_tls else "by plain HTTP"


@contextmanager
def run_link(
    images: Sequence[Path], latency_ms: float, megabytes_per_s: float, derived: Path | None = None
) -> Iterator[str]:
    """Run the server and yield its URL. ``derived`` is a folder of objects that are made from ``images``."""
    options = ["--latency-ms", str(latency_ms), "--megabytes-per-s", str(megabytes_per_s)]
    options += ["--derived", str(derived)] if derived else []
    options += ["--certificate", str(make_certificates() / "server.pem")] if _by_tls else []
    command = [sys.executable, "-m", "bench.link", *options, *map(str, images)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield f"{'https' if _by_tls else 'http'}://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
