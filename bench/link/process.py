"""Run the link's server as a child process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..paths import ROOT


@contextmanager
def run_link(images: Sequence[Path], latency_ms: float, megabytes_per_s: float) -> Iterator[str]:
    """Run the server and yield its URL."""
    options = ["--latency-ms", str(latency_ms), "--megabytes-per-s", str(megabytes_per_s)]
    command = [sys.executable, "-m", "bench.link", *options, *map(str, images)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
