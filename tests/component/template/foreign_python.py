"""Python with layers in a process, on the processor that they are for: this machine's, or an emulated one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.execution_environment.base_image import ARM64, PYTHON, X86_64, Processor, make_base_image
from tests.execution_environment.emulation import build_prefix
from tests.execution_environment.environment import VARIABLES

from .stack import ROOT

PROCESSORS: Mapping[str, Processor] = {processor.name: processor for processor in (ARM64, X86_64)}
STANDARD_LIBRARY = f"/var/lang/lib/{PYTHON}"
"""Of an emulated processor."""

PROGRAMS = ("bwrap", "mmdebstrap", "unshare")


def run_python(
    arch: str, code: str, *arguments: str, variables: Mapping[str, str], folders: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Run ``code`` with these variables and no others.

    Under emulation it sees AWS's base image, this checkout, ``folders``, and the folder of temporary files.
    """
    processor = PROCESSORS[arch]
    command, further = [sys.executable], {"PYTHONDONTWRITEBYTECODE": "1"}
    if processor.is_emulated:
        command = _enter(processor, folders)
        further |= {name: VARIABLES[name] for name in ("LD_LIBRARY_PATH", "LANG")}
    return subprocess.run(
        [*command, "-S", "-c", code, *arguments],
        env={**further, **variables},
        check=False,
        capture_output=True,
        text=True,
    )


def _enter(processor: Processor, folders: Sequence[Path]) -> list[str]:
    """Return what starts the interpreter of ``processor``; skips the test without the programs that it takes."""
    for program in (*PROGRAMS, f"qemu-{processor.machine}", f"{processor.triplet}-gcc"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    image = make_base_image(processor)
    scratch = tempfile.gettempdir()
    places = ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", scratch, scratch]
    for part in image.iterdir():
        if part.is_symlink():
            places += ["--symlink", str(part.readlink()), f"/{part.name}"]
        elif part.name not in ("dev", "proc", "tmp"):
            places += ["--ro-bind", str(part), f"/{part.name}"]
    for folder in (ROOT, *folders):
        places += ["--ro-bind", str(folder), str(folder)]
    return [*build_prefix(processor.machine), "bwrap", "--die-with-parent", *places, f"/var/lang/bin/{PYTHON}"]
