"""The machine that is measured on: a core for the function, another for everything else, and what it is called."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

type Core = int | None

ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """``x86_64`` or ``arm64``, as Lambda calls it."""
    return ARCHITECTURES[platform.machine()]


def choose_cores() -> tuple[Core, Core]:
    """A core for the function and one for the server and the clock; None twice if there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[-1], available[0]) if len(available) > 1 else (None, None)


@contextmanager
def separate_cores() -> Iterator[Core]:
    """A core for the function; what else this process does within stays on another."""
    function_core, our_core = choose_cores()
    with on_core(our_core):
        yield function_core


@contextmanager
def on_core(core: Core) -> Iterator[None]:
    """What is started within runs on ``core`` alone, and so does all that it starts; None leaves things as they are."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe_processor() -> str:
    """The processor's name and how many cores there are to use."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.machine()
    return f"{name}, {os.cpu_count()} cores"
