"""A process that decodes untrusted bytes: limited memory, time and output, and no files, sockets or programs.

The parent gives it the bytes as standard input and takes its standard output, and files that it has opened for more
output. Before the child reads a byte, it has loaded its libraries, set its limits, and installed a filter that allows
the system calls that computing needs. A decoder that a hostile file takes over can therefore open no file, not even in
``/proc``, and reach no network. The decoders of converted formats and of most extensions run so. Those of libvips and
libheif (decision 86) and the C2PA's library run in the functions.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TooSlow, Unavailable

from .exit_codes import DAMAGED, NO_MEMORY

_LOG_CHARACTERS = 500
_TOO_LONG = (-signal.SIGXCPU, -signal.SIGKILL)
"""At the limit of CPU time the kernel sends the first signal, a second later the other."""

_WORKER = "darkroom_pipeline.conversion.pillow_worker"
_WORKERS = {"jxl": "darkroom_pipeline.conversion.jxl_worker"}


def find_worker(form: str) -> str:
    """Return the module that decodes ``form``."""
    return _WORKERS.get(form, _WORKER)


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Limits of one process. ``memory_bytes`` is address space. ``wall_s`` is elapsed time.

    ``threads``: it may start threads, as libvips needs to. It may not start processes.
    """

    memory_bytes: int
    output_bytes: int
    cpu_s: int = 40
    wall_s: float = 60.0
    threads: bool = False


_KEPT = ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables that the process needs to load its libraries. None has a secret."""


def _build_environment() -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "VIPS_CONCURRENCY": "1",
        "VIPS_WARNING": "0",
    }


def run(
    module: str,
    arguments: Sequence[str | int],
    data: bytes | IO[bytes],
    limits: ProcessLimits,
    outputs: Sequence[IO[bytes]] = (),
) -> bytes:
    """Return what ``module`` writes for ``data``, or for the content of a file.

    ``outputs`` are files that it may write to, by descriptors of the same numbers, which follow ``arguments``. Raises
    DamagedSource if it cannot decode them or crashes, OverLimits if memory is not enough, TooSlow, or Unavailable if it
    does not start.
    """
    passed = [file.fileno() for file in outputs]
    numbers = [limits.memory_bytes, limits.output_bytes, limits.cpu_s, int(limits.threads)]
    command = [sys.executable, "-m", module, *map(str, (*numbers, *arguments, *passed))]
    with ExitStack() as files:
        given, result, log = (files.enter_context(TemporaryFile()) for _ in range(3))
        if isinstance(data, bytes):
            given.write(data)
            given.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - no word of the command is a client's
                command,
                check=False,
                stdin=given if isinstance(data, bytes) else data,
                stdout=result,
                stderr=log,
                timeout=limits.wall_s,
                env=_build_environment(),
                pass_fds=passed,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(detail=f"the decoder took more than {limits.wall_s} s") from error
        except OSError as error:
            raise Unavailable(detail=f"the decoder could not be started: {error}") from error
        log.seek(0)
        text = log.read()[-_LOG_CHARACTERS:].decode(errors="replace").strip()
        if done.returncode:
            raise _describe_failure(done.returncode, text, limits)
        result.seek(0)
        return result.read()


def _describe_failure(code: int, text: str, limits: ProcessLimits) -> DarkroomError:
    if code == NO_MEMORY:
        most = f"{limits.memory_bytes / 1e6:,.0f} MB"
        return OverLimits(f"Decoding the source takes more than {most}", detail=text, applies_to_source=True)
    if code in _TOO_LONG:
        return TooSlow(detail=f"the decoder took more than {limits.cpu_s} s of CPU")
    if code == DAMAGED or code < 0:
        return DamagedSource(detail=text or f"the decoder was ended by signal {-code}", applies_to_source=True)
    return Unavailable(detail=f"the decoder ended with {code}: {text}")
