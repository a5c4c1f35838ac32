"""MiniStack as a child process."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import processes, tool_venvs
from .aws import ACCESS_KEY
from .emulation import validation
from .emulation.permissions import RECORD, SWITCH
from .errors import StartError
from .paths import REGION, ROOT, Ports, StackPaths
from .saved_state import SavedState

READY_WITHIN_S = 300.0
SAVE_EVERY_S = 60.0
SAVED_WITHIN_S = STOP_GRACE_S = 120.0
"""MiniStack saves the state of all services when it exits, which takes time on a busy machine."""


def build_environment(paths: StackPaths, ports: Ports) -> dict[str, str]:
    """Return all environment variables of MiniStack. Functions inherit them, so none comes from the user."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(paths.scratch),
        "TMPDIR": str(paths.scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(ports.aws),
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(paths.ministack / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(paths.ministack / "s3"),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        RECORD: str(paths.calls),
        validation.RECORD: str(paths.requests),
        **SWITCH,
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }


class MiniStack:
    """One running MiniStack, with data in ``paths``."""

    def __init__(
        self,
        paths: StackPaths,
        ports: Ports,
        also: Mapping[str, str] | None = None,
        packages: Sequence[Path] = (),
    ) -> None:
        """``also`` are more environment variables, which functions inherit; ``packages`` more site-packages folders.

        ``lost_since_s`` is the time of the state that it started with (Unix time), if it was killed after that: what
        was not saved is lost. None if its end saved everything.
        """
        self._paths = paths
        self._ports = ports
        self._also = dict(also or {})
        self._packages = tuple(packages)
        self._process: subprocess.Popen[bytes] | None = None
        self.lost_since_s: float | None = None

    @property
    def pid(self) -> int:
        """Return its process id, which is also its process group; 0 if it does not run."""
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        """Return whether the process runs."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start it and wait until it responds. Raises StartError, also for a state that it cannot go on with."""
        saved = SavedState(self._paths.ministack / "state")
        saved.check(self._ports.aws)
        self.lost_since_s = saved.lost_since_s
        shutil.rmtree(self._paths.scratch, ignore_errors=True)
        for folder in (self._paths.scratch, self._paths.ministack, self._paths.logs):
            folder.mkdir(parents=True, exist_ok=True)
        log = self._paths.logs / "ministack.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    tool_venvs.python_path("runtime"),
                    "-P",
                    ROOT / "local" / "ministack_process.py",
                    tool_venvs.site_packages("ministack"),
                    *self._packages,
                ],
                env=build_environment(self._paths, self._ports) | self._also,
                cwd=self._paths.ministack,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        for _ in range(int(READY_WITHIN_S / 0.1)):
            if not self.is_running:
                raise StartError(f"MiniStack exited at start. The last lines of {log}:\n{_tail(log.read_text())}")
            if await asyncio.to_thread(processes.answers, f"{self._ports.aws_url}/_ministack/ready"):
                return
            await asyncio.sleep(0.1)
        raise StartError(f"MiniStack did not respond within {READY_WITHIN_S:.0f} s. See {log}")

    async def save(self) -> None:
        """Save the state of all services now, not only at exit. Raises StartError if that takes too long."""
        if not self._process:
            return
        saved = SavedState(self._paths.ministack / "state")
        before = saved.saved_ns
        os.kill(self._process.pid, signal.SIGUSR1)
        for _ in range(int(SAVED_WITHIN_S / 0.05)):
            if saved.saved_ns != before or not self.is_running:
                return
            await asyncio.sleep(0.05)
        raise StartError(f"MiniStack did not save its state within {SAVED_WITHIN_S:.0f} s.")

    async def save_regularly(self) -> None:
        """Save the state once a minute, until cancelled: a kill of the process loses no more."""
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await self.save()

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Stop it with all functions that it runs, and delete what it unpacked.

        It has ``grace_s`` to save its state.
        """
        if self._process:
            await processes.stop(self._process, grace_s)
            self._process = None
        shutil.rmtree(self._paths.scratch, ignore_errors=True)


def _tail(text: str) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-15:])
