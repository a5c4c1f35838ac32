"""A confined process of a real decoder that is taken over: after its preparation it tries to get out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.sandbox import ProcessLimits

SECRET = "a-secret-of-the-function"
ALLOWED = "alive"

_MODULE = """
import ctypes, os, socket, sys, threading
from darkroom_pipeline.conversion.confine import main
from {decoder} import prepare

def attempt(act):
    try:
        return str(act())
    except (OSError, RuntimeError) as error:
        return type(error).__name__

def read(path):
    return os.read(os.open(path, os.O_RDONLY), 1 << 20)

def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), "")

def steal():
    for name in os.listdir("/proc"):
        if name.isdigit():
            read(f"/proc/{{name}}/environ")

def fork():
    pid = os.fork()
    if not pid:
        os._exit(0)

PARENT = os.getppid()
ACTS = (
    lambda: read(f"/proc/{{PARENT}}/environ"),
    lambda: read("/proc/self/environ"),
    lambda: read("/etc/passwd"),
    steal,
    lambda: os.open("/tmp/darkroom-written", os.O_WRONLY | os.O_CREAT),
    lambda: socket.socket(socket.AF_INET),
    lambda: socket.socket(socket.AF_UNIX),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.posix_spawn("/bin/true", ["true"], {{}}),
    fork,
    lambda: os.kill(PARENT, 0),
    lambda: call(101, 16, PARENT, 0, 0),  # ptrace
    lambda: call(310, PARENT, 0, 0, 0, 0, 0),  # process_vm_readv
    lambda: call(302, PARENT, 7, 0, 0),  # prlimit of another process
    lambda: call(56, 17, 0, 0, 0, 0),  # clone of a process
)

def probe(data):
    return "\\n".join([*map(attempt, ACTS), "alive"]).encode()

def take_over(arguments):
    prepare(arguments)
    return probe

main(take_over)
"""


def take_over(
    decoder: str, arguments: Sequence[str | int], limits: ProcessLimits, folder: Path, *, outputs: int = 0
) -> list[str]:
    """Return what a taken-over ``decoder`` was answered, in a function whose variables have a secret."""
    (folder / "taken_over.py").write_text(_MODULE.format(decoder=decoder), encoding="utf-8")
    files = [TemporaryFile() for _ in range(outputs)]  # noqa: SIM115 - closed below
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        try:
            return sandbox.run("taken_over", arguments, b"", limits, files).decode().split("\n")
        finally:
            for file in files:
                file.close()


def check_confined(answers: Sequence[str]) -> None:
    """Fail unless every attempt was refused, by a process that lived until the last one."""
    *refused, alive = answers
    assert alive == ALLOWED
    assert len(refused) == 15
    assert set(refused) <= {"PermissionError", "OSError", "BlockingIOError"}, answers


def supports_probe() -> bool:
    """Return whether the numbers of the probe's calls are those of this machine."""
    return os.uname().machine == "x86_64"
