"""Child processes that run to completion or are stopped with their process group."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

CHUNK_BYTES = 64 * 1024


class Finished(NamedTuple):
    """A command's exit status and output."""

    status: int
    output: str

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the output, indented."""
        return "\n".join("    " + line for line in self.output.rstrip().splitlines()[-lines:])


async def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path | None = None,
    follow: Callable[[str], object] | None = None,
) -> Finished:
    """Run ``command`` to completion; its output also goes to ``log``. Cancellation kills its process group.

    ``follow`` is called with the output until now whenever there is more.
    """
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env=env,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    captured = bytearray()
    try:
        while more := await process.stdout.read(CHUNK_BYTES):
            captured += more
            if follow:
                follow(captured.decode(errors="replace"))
        await process.wait()
    except asyncio.CancelledError:
        end_group(process.pid)
        await process.wait()
        raise
    output = captured.decode(errors="replace")
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
    return Finished(process.returncode or 0, output)


def answers(url: str) -> bool:
    """Return whether a GET of ``url`` is answered with 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def end_group(pid: int) -> None:
    """Kill the process group of ``pid`` at once."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def stop(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """Stop the leader of a process group: SIGTERM, SIGKILL after ``grace_s``, then SIGKILL for its whole group."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.to_thread(process.wait, grace_s)
    except subprocess.TimeoutExpired:
        pass
    finally:
        end_group(process.pid)
        process.wait()
