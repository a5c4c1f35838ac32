"""Compile the extras of pyproject.toml, and of those of extensions, into requirements files with hashes.

The files are for every platform and name no index.

``python -m tools.lock`` keeps locked versions that pyproject.toml allows; ``--upgrade`` takes the newest.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import uv

from extensions import list_extensions

ROOT = Path(__file__).resolve().parent.parent

LOCKS: Mapping[str, Sequence[str]] = {
    "layers/darkroom/requirements.txt": ("darkroom",),
    "layers/imaging/requirements.txt": ("imaging",),
    "layers/imaging/requirements-build.txt": ("imaging-build",),
    "layers/credentials/requirements.txt": ("credentials",),
    "layers/ingest/requirements-jpeg-xl.txt": ("jpeg-xl",),
    "layers/fonts/requirements.txt": ("fonts",),
    "layers/fonts/requirements-build.txt": ("fonts-build",),
    "layers/inference/requirements.txt": ("inference",),
    "layers/inference/requirements-models.txt": ("models",),
    "layers/inference/requirements-build.txt": ("models-build",),
    "layers/pipeline/requirements.txt": ("aws",),
    "endpoint/requirements.txt": ("endpoint", "endpoint-cpu"),
    "endpoint/requirements-gpu.txt": ("endpoint", "endpoint-gpu"),
    "endpoint/requirements-models.txt": ("models", "models-text"),
    "requirements-dev.txt": ("dev", "darkroom", "imaging", "fonts", "inference", "aws"),
    "requirements-commands.txt": ("commands",),
    "requirements-stack.txt": ("stack", "commands", "uv", "darkroom", "imaging", "models-build", "aws"),
    "requirements-samples.txt": ("samples",),
    "requirements-uv.txt": ("uv",),
    "requirements-audit.txt": ("audit",),
    "requirements-ministack.txt": ("ministack",),
    "requirements-moto.txt": ("moto",),
    "requirements-sam.txt": ("sam",),
    "requirements-conformance.txt": ("conformance",),
    "requirements-cdk.txt": ("cdk",),
    "bench/requirements-runtime.txt": ("bench-runtime",),
    "bench/competitors/thumbor/requirements.txt": ("bench-thumbor",),
}
"""Requirements file, from the repository's root, and the extras it locks; extensions have their own."""

ALONE = ("models", "models-text", "credentials", "jpeg-xl", "samples")
"""Extras that are locked without dependencies: of models, samples and ``imagecodecs`` only files are used, and no code
runs; ``c2pa-python`` uses its dependencies only to download itself."""

_OPTIONS = (
    *("--quiet", "--universal", "--python-version", "3.13", "--generate-hashes"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
)


def lock(arguments: list[str]) -> None:
    """Write every requirements file; ``arguments`` are passed to ``uv pip compile``."""
    for file, extras in LOCKS.items():
        _compile("", file, extras, arguments, is_alone=set(extras) <= set(ALONE))
    for extension in list_extensions():
        for file, extras in extension.locks.items():
            _compile(f"extensions/{extension.name}/", file, extras, arguments, is_alone=file in extension.alone)


def _compile(folder: str, file: str, extras: Sequence[str], arguments: list[str], *, is_alone: bool) -> None:
    options = [*(f"--extra={extra}" for extra in extras), *(["--no-deps"] if is_alone else []), *arguments]
    command = [uv.find_uv_bin(), "pip", "compile", f"{folder}pyproject.toml", *_OPTIONS, *options]
    subprocess.run([*command, "--output-file", folder + file], cwd=ROOT, check=True)  # noqa: S603
    sys.stdout.write(f"{folder}{file}\n")


if __name__ == "__main__":
    lock(sys.argv[1:])
