"""thumbor, the image server in Python, on Pillow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...build_cache import build_once
from ...cases import Case
from ...emulator import install
from ...paths import WORK
from ..model import BUCKET, Competitor, MissingCompetitor

HERE = Path(__file__).parent
LOCK, SETTINGS = HERE / "requirements.txt", HERE / "thumbor.conf"


def thumbor(endpoint_url: str) -> Competitor:
    """The server, which fetches from the S3 at ``endpoint_url``; raises Missing."""
    try:
        site = build_once(WORK / "thumbor", [LOCK], lambda folder: install(LOCK, folder), sys.version)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingCompetitor(f"thumbor: uv could not install it ({error})") from error

    def asked(case: Case, number: int, quality: int) -> dict[str, Any]:
        source = quote(f"{endpoint_url}/{BUCKET}/masters/{number}/{case.picture}", safe="")
        return {"path": f"/unsafe/{case.width}x0/filters:format({case.form}):quality({quality})/{source}"}

    return Competitor(
        name="thumbor",
        what="the PyPI package as an HTTP server of its own; it fetches the source by HTTP and stores nothing",
        command=[sys.executable, "-m", "thumbor.server", "--port", "{port}", "--ip", "127.0.0.1", "--conf", SETTINGS],
        folder=site,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(site), "HOME": str(site)},
        asks=asked,
        is_server=True,
    )
