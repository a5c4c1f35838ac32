"""Install AWS's Runtime Interface Emulator and runtime client from the wheels of aws-sam-cli and awslambdaric."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local.tool_venvs import uv_install

from .build_cache import build_once
from .machine import architecture
from .paths import ROOT, WORK

SAM_LOCK = ROOT / "requirements-sam.txt"
RUNTIME_LOCK = ROOT / "bench" / "requirements-runtime.txt"


def install_emulator() -> Path:
    """Return the emulator's binary for this machine."""
    folder = build_once(WORK / "emulator", [SAM_LOCK], _install_sam_alone)
    return folder / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{architecture()}"


def install_interpreter() -> Path:
    """Return a Python that has only AWS's runtime client, compiled to bytecode like the managed runtime.

    It is a copy of the interpreter: files mapped by other processes cannot be dropped from the cache.
    """
    folder = build_once(WORK / "python", [RUNTIME_LOCK], _make_runtime, sys.version, "copied")
    return folder / "bin" / "python"


def install(lock: Path, target: Path, *options: str) -> None:
    """Install the packages of ``lock`` into ``target`` and compile them as the layers are compiled."""
    _install_with_uv(lock, target, *options)
    compile_bytecode(target)


def _install_with_uv(lock: Path, target: Path, *options: str) -> None:
    """Install the packages of ``lock`` into ``target``, by their hashes."""
    subprocess.run(
        [*uv_install(sys.executable), "--require-hashes", *options, "--target", target, "-r", lock], check=True
    )


def compile_bytecode(folder: Path) -> None:
    """Write relocatable bytecode; without it a cold start is several times slower."""
    how = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    # Not checked: wheels contain files for other Pythons, which do not compile.
    subprocess.run([sys.executable, "-m", "compileall", *how, str(folder)], check=False)


def _install_sam_alone(folder: Path) -> None:
    """Install aws-sam-cli without its dependencies."""
    text = SAM_LOCK.read_text(encoding="utf-8")
    start = text.index("aws-sam-cli==")
    lines = text[start:].splitlines()
    last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
    lock = folder / "requirements.txt"
    lock.write_text("\n".join(lines[: last + 1]) + "\n", encoding="utf-8")
    _install_with_uv(lock, folder, "--no-deps")


def _make_runtime(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", folder], check=True)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    install(RUNTIME_LOCK, site)
