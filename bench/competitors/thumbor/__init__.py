"""thumbor, an image server in Python, based on Pillow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...build_cache import build_once
from ...cases import Case
from ...emulator import install
from ...link.tls import list_trust_variables
from ...paths import WORK
from ..model import BUCKET, Competitor, MissingCompetitor

HERE = Path(__file__).parent
LOCK, SETTINGS = HERE / "requirements.txt", HERE / "thumbor.conf"


def thumbor(endpoint_url: str) -> Competitor:
    """Return the server, which reads from the S3 at ``endpoint_url``. Raises MissingCompetitor."""
    try:
        site = build_once(WORK / "thumbor", [LOCK], lambda folder: install(LOCK, folder), sys.version)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingCompetitor(f"thumbor: uv could not install it ({error})") from error

    def make_path(case: Case, number: int, quality: int) -> dict[str, Any]:
        source = quote(f"{endpoint_url}/{BUCKET}/masters/{number}/{case.image}", safe="")
        return {"path": f"/unsafe/{case.width}x0/filters:format({case.form}):quality({quality})/{source}"}

    return Competitor(
        name="thumbor",
        what="the PyPI package as an HTTP server; reads the source by HTTP and stores nothing",
        command=[sys.executable, "-m", "thumbor.server", "--port", "{port}", "--ip", "127.0.0.1", "--conf", SETTINGS],
        folder=site,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(site), "HOME": str(site)}
        | list_trust_variables(endpoint_url),
        make_event=make_path,
        is_server=True,
    )
