"""A function that returns what it sees of its execution environment."""

import ctypes
import multiprocessing
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any


def attempt(act: Callable[[], object]) -> str:
    """Return what ``act`` returns, or the error that it raises."""
    try:
        return str(act())
    except OSError as error:
        return type(error).__name__


def start_python(variables: dict[str, str]) -> int:
    """Return the exit status of a Python with these variables only."""
    done = subprocess.run([sys.executable, "-c", "import ssl"], env=variables, check=False, capture_output=True)
    return done.returncode


def write(path: str) -> int:
    with open(path, "w") as file:  # noqa: PTH123
        return file.write("1")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return facts by name, and use ``bytes`` of memory."""
    used = bytearray(event.get("bytes", 0))
    tmp = os.statvfs("/tmp")
    return {
        "used": len(used),
        "variables": dict(os.environ),
        "path": sys.path[:3],
        "user": [os.getuid(), os.getgid()],
        "home": attempt(lambda: os.listdir(os.path.expanduser("~"))),  # noqa: PTH111, PTH208
        "devices": sorted(os.listdir("/dev")),  # noqa: PTH208
        "tmp_bytes": tmp.f_blocks * tmp.f_frsize,
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "written": [attempt(lambda path=path: write(f"{path}/x")) for path in ("/tmp", "/var/task", "/opt", "/dev")],
        "queue": attempt(multiprocessing.Queue),
        "python": [start_python({}), start_python({"LD_LIBRARY_PATH": os.environ["LD_LIBRARY_PATH"]})],
        "libraries": [attempt(lambda name=name: ctypes.CDLL(name) and "") for name in event.get("libraries", ())],
        "machine": os.uname().machine,
        "memory_mb": context.memory_limit_in_mb,
    }
