"""AWS's Runtime Interface Emulator and runtime client, out of the wheels of aws-sam-cli and awslambdaric."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import uv

from .build_cache import build_once
from .machine import architecture
from .paths import ROOT, WORK

SAM_LOCK = ROOT / "requirements-sam.txt"
RUNTIME_LOCK = ROOT / "bench" / "requirements-runtime.txt"


def install_emulator() -> Path:
    """The emulator's binary for this machine."""
    folder = build_once(WORK / "emulator", [SAM_LOCK], _install_sam_alone)
    return folder / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{architecture()}"


def install_interpreter() -> Path:
    """A Python that has AWS's runtime client and nothing else, with bytecode, as the managed runtime has.

    It is a copy of the interpreter: a file that other processes have mapped cannot be dropped from the system's cache.
    """
    folder = build_once(WORK / "python", [RUNTIME_LOCK], _make_runtime, sys.version, "copied")
    return folder / "bin" / "python"


def install(lock: Path, target: Path, *options: str) -> None:
    """Install what ``lock`` names into the folder ``target`` and compile it as the layers are compiled."""
    pip = [uv.find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--python", sys.executable]
    subprocess.run([*pip, *options, "--target", target, "-r", lock], check=True)
    compile_bytecode(target)


def compile_bytecode(folder: Path) -> None:
    """Write bytecode that is valid wherever the files go; a cold start without it is several times slower."""
    how = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    # Not checked: wheels carry files for other Pythons, which do not compile.
    subprocess.run([sys.executable, "-m", "compileall", *how, str(folder)], check=False)


def _install_sam_alone(folder: Path) -> None:
    """Of aws-sam-cli itself only: its dependencies are not what is wanted."""
    text = SAM_LOCK.read_text(encoding="utf-8")
    start = text.index("aws-sam-cli==")
    lines = text[start:].splitlines()
    last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
    lock = folder / "requirements.txt"
    lock.write_text("\n".join(lines[: last + 1]) + "\n", encoding="utf-8")
    pip = [uv.find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--python", sys.executable]
    subprocess.run([*pip, "--target", folder, "-r", lock], check=True)


def _make_runtime(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", folder], check=True)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    install(RUNTIME_LOCK, site)
