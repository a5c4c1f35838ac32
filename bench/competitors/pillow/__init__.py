"""The usual first handler in Python: boto3 and Pillow."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ...build_cache import build_once
from ...emulator import install, install_interpreter
from ...paths import WORK
from ..model import Competitor, build_aws_environment

HERE = Path(__file__).parent


def pillow(endpoint_url: str) -> Competitor:
    """Return the Pillow handler with the S3 at ``endpoint_url``."""
    folder = _installed()
    return Competitor(
        name="Pillow",
        what="a minimal handler in Python: boto3, Pillow with its JPEG draft mode; responds without storing",
        command=[install_interpreter(), "-m", "awslambdaric", "app.handler"],
        folder=folder,
        environment=build_aws_environment(endpoint_url)
        | {"PYTHONPATH": str(folder / "site"), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def _installed() -> Path:
    return build_once(WORK / "pillow", [HERE / "app.py", HERE / "requirements.txt"], _make, sys.version)


def _make(folder: Path) -> None:
    install(HERE / "requirements.txt", folder / "site")
    shutil.copy(HERE / "app.py", folder)
