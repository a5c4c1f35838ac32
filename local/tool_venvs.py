"""Virtual environments of the tools.

MiniStack and the SAM CLI pin different versions of botocore, so that each has its own. ``runtime`` is the environment
of functions: Python and boto3, as in Lambda's runtime. ``endpoint`` is the model server's, for a stack with inference.
``conformance`` contains IIIF's validator, ``cdk`` the AWS CDK, ``jpeg-xl`` libjxl. ``moto`` is a second engine of AWS's
services, beside MiniStack. Extensions name their own: the packages of their layers, and clients of their tests.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import uv
from filelock import AsyncFileLock

from extensions import list_extensions

from .errors import StartError
from .paths import ROOT, VENVS
from .processes import run
from .progress import Progress

REQUIREMENTS = {
    "ministack": ROOT / "requirements-ministack.txt",
    "moto": ROOT / "requirements-moto.txt",
    "sam": ROOT / "requirements-sam.txt",
    "endpoint": ROOT / "endpoint" / "requirements.txt",
    "conformance": ROOT / "requirements-conformance.txt",
    "cdk": ROOT / "requirements-cdk.txt",
    "jpeg-xl": ROOT / "layers" / "ingest" / "requirements-jpeg-xl.txt",
    **{name: one.folder / file for one in list_extensions() for name, file in one.environments.items()},
}
"""Requirements file of each environment that is installed from one."""

TOOLS = ("ministack", "sam")
"""Environments that every stack needs."""

ENDPOINT = "endpoint"
CONFORMANCE = "conformance"
CDK = "cdk"
JPEG_XL = "jpeg-xl"
MOTO = "moto"
FOR_TESTS = (ENDPOINT, JPEG_XL, *(name for one in list_extensions() for name in one.environments))
"""Environments that `make test` needs besides."""

RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
"""boto3 and its dependencies, as named in site-packages; linked from MiniStack's environment."""


def python_path(name: str) -> Path:
    """Return the interpreter of an environment."""
    return VENVS / name / "bin" / "python"


def site_packages(name: str) -> Path:
    """Return the site-packages folder of an environment."""
    return VENVS / name / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


async def ensure(progress: Progress) -> None:
    """Create environments that are missing or older than their requirements file; raises StartError."""
    if sys.version_info[:2] != (3, 13):
        raise StartError(f"Darkroom needs Python 3.13, this is {sys.version.split()[0]}. Start it with `make run`.")
    async with AsyncFileLock(VENVS / ".lock"):
        expected = await _ensure(TOOLS, progress)
        if not _is_ready("runtime", expected["ministack"]):
            await _make_runtime()
            _marker("runtime").write_text(expected["ministack"])


async def ensure_one(name: str, progress: Progress) -> None:
    """Create the environment ``name`` if it is missing or older than its requirements; raises StartError."""
    async with AsyncFileLock(VENVS / f".{name}.lock"):  # a separate lock: it may take minutes
        await _ensure((name,), progress)


def make_importable(name: str) -> None:
    """Install the environment ``name`` and add its packages to the end of the path: those of this process come first.

    Its interpreter is that of this process. Raises StartError.
    """
    asyncio.run(ensure_one(name, Progress()))
    folder = str(site_packages(name))
    if folder not in sys.path:
        sys.path.append(folder)


async def _ensure(names: Sequence[str], progress: Progress) -> dict[str, str]:
    """Install missing environments; return the expected content of each marker."""
    expected = {name: _expected_marker(REQUIREMENTS[name]) for name in names}
    missing = [name for name in names if not _is_ready(name, expected[name])]
    if missing:
        with progress.step(f"Installing {' and '.join(missing)} from their requirements files (first start only)"):
            await _install_all(missing, expected)
    return expected


def _marker(name: str) -> Path:
    return VENVS / name / ".ready"


def _is_ready(name: str, expected: str) -> bool:
    return _marker(name).exists() and _marker(name).read_text() == expected and python_path(name).exists()


def _expected_marker(requirements: Path) -> str:
    if not requirements.exists():
        raise StartError(f"{requirements.relative_to(ROOT)} is missing. `make lock` writes it.")
    return hashlib.sha256(requirements.read_bytes()).hexdigest() + " " + sys.version.split()[0]


async def _install_all(missing: list[str], expected: dict[str, str]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for name in missing:
                group.create_task(_install(name, expected[name]))
    except* StartError as errors:
        raise errors.exceptions[0] from None


async def _install(name: str, expected: str) -> None:
    await _make_venv(name, "--without-pip")
    requirements, python = REQUIREMENTS[name], str(python_path(name))
    # Requirements files are complete, except where only files of a package are used.
    exactly = ["--require-hashes", "--no-deps", "-r", str(requirements)]
    done = await run([*uv_install(python), *exactly], env=dict(os.environ), cwd=ROOT)
    if done.status:  # uv does not read pip's configuration, which may name an index
        pip_install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
        done = await run([*pip_install, *exactly], env=dict(os.environ), cwd=ROOT)
    if done.status:
        raise StartError(
            f"pip could not install {requirements.relative_to(ROOT)}:\n{done.tail()}\n"
            "If it could not connect: the first start needs the network (or a package index set by PIP_INDEX_URL)."
        )
    _marker(name).write_text(expected)


def uv_install(python: str) -> list[str]:
    """Return the start of a command that installs packages into the environment of the interpreter ``python``.

    It trusts the certificates of the system, as pip does: uv has its own.
    """
    return [uv.find_uv_bin(), "pip", "install", "--quiet", "--system-certs", "--python", python]


async def _make_venv(name: str, *options: str) -> None:
    shutil.rmtree(VENVS / name, ignore_errors=True)
    done = await run([sys.executable, "-m", "venv", *options, VENVS / name], env=dict(os.environ), cwd=ROOT)
    if done.status:
        raise StartError(
            f"python3.13 -m venv failed:\n{done.tail()}\nOn Debian and Ubuntu: apt-get install python3.13-venv"
        )


async def _make_runtime() -> None:
    await _make_venv("runtime", "--without-pip")
    for package in RUNTIME_PACKAGES:
        (site_packages("runtime") / package).symlink_to(site_packages("ministack") / package)


async def _ensure_all() -> None:
    """Create the environments that `make test` needs."""
    async with asyncio.TaskGroup() as group:
        group.create_task(ensure(Progress()))
        for name in FOR_TESTS:
            group.create_task(ensure_one(name, Progress()))


if __name__ == "__main__":
    asyncio.run(_ensure_all())
