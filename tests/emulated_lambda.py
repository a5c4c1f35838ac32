"""A function in AWS's runtime interface emulator, with AWS's runtime client: its extensions work as in Lambda.

Unlike Lambda, the emulator sends a response only when the extensions have finished, too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.emulator import install_emulator, install_interpreter
from bench.processes import await_end, list_children
from local.ports import find_free_ports
from tests.waiting import HANG_S, wait_until

PACKAGES = [Path(__file__).resolve().parents[1] / "layers" / name for name in ("darkroom", "pipeline")]
RUNTIME_DONE = "INVOKE RTDONE"
"""The emulator's line when the runtime has posted its response and asks for the next event."""


@dataclass(frozen=True, slots=True)
class EmulatedFunction:
    """A running emulator."""

    process: subprocess.Popen[bytes]
    url: str
    log_file: Path

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to ``event``, as soon as the emulator listens."""

        def answer() -> dict[str, Any] | None:
            asked = urllib.request.Request(self.url, json.dumps(event).encode())
            try:
                with urllib.request.urlopen(asked, timeout=HANG_S) as response:
                    return dict(json.load(response))
            except urllib.error.HTTPError as error:  # the process has ended
                return dict(json.load(error))
            except urllib.error.URLError as error:
                if isinstance(error.reason, ConnectionRefusedError) and self.process.poll() is None:
                    return None
                raise

        return wait_until(answer, self.log) or {}

    def log(self) -> str:
        """Return the output of the emulator and the function."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """Return the function's lines of JSON."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def kill(self) -> None:
        """End the execution environment at once, as a crash does. The function has a process group of its own."""
        running = self.process.poll() is None
        processes = [self.process.pid, *list_children(self.process.pid)] if running else []
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for pid in processes[1:]:
            await_end(pid)


@contextmanager
def emulate(folder: Path, environment: Mapping[str, str], *paths: Path) -> Iterator[EmulatedFunction]:
    """Run ``app.handler`` of ``folder`` with Darkroom's packages and ``paths``."""
    port, api = find_free_ports(2)
    places = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{api}"]
    command = [install_emulator(), *places, "--log-level", "info", install_interpreter(), "-m", "awslambdaric"]
    log_file = folder / f"log-{port}"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, "app.handler"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": ":".join(map(str, (folder, *PACKAGES, *paths))),
                "AWS_LAMBDA_FUNCTION_TIMEOUT": "120",
                **environment,
            },
            stdout=log,
            stderr=log,
        )
    found = EmulatedFunction(process, f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", log_file)
    try:
        yield found
    finally:
        found.kill()
