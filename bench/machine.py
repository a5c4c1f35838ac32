"""Describe the machine, and assign cores: one for the function, another for everything else."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

type Core = int | None

ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Return ``x86_64`` or ``arm64``, Lambda's names."""
    return ARCHITECTURES[platform.machine()]


def choose_cores() -> tuple[Core, Core]:
    """Return a core for the function and one for server and clock; None twice on a single core."""
    available = sorted(os.sched_getaffinity(0))
    return (available[-1], available[0]) if len(available) > 1 else (None, None)


@contextmanager
def separate_cores() -> Iterator[Core]:
    """Yield a core for the function; this process runs on another meanwhile."""
    function_core, our_core = choose_cores()
    with on_core(our_core):
        yield function_core


@contextmanager
def on_core(core: Core) -> Iterator[None]:
    """Run processes started in the context on ``core`` only, with their children. None changes nothing."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe_processor() -> str:
    """Return the processor's name and the number of usable cores."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.machine()
    return f"{name}, {os.cpu_count()} cores"
