"""ipx, the image server of the Nuxt and UnJS projects, based on sharp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...cases import Case
from ...link.tls import list_trust_variables
from .. import npm
from ..model import BUCKET, Competitor

HERE = Path(__file__).parent
FILES = tuple(HERE / name for name in (*npm.LOCKED, "server.mjs"))


def ipx(endpoint_url: str) -> Competitor:
    """Return the server, which reads from the S3 at ``endpoint_url``. Raises MissingCompetitor."""
    runtime, folder = npm.install("ipx", "ipx", FILES)

    def make_path(case: Case, number: int, quality: int) -> dict[str, Any]:
        source = f"{endpoint_url}/{BUCKET}/masters/{number}/{case.image}"
        return {"path": f"/w_{case.width},f_{case.form},q_{quality}/{source}"}

    return Competitor(
        name="ipx",
        what="the npm package as an HTTP server; reads the source by HTTP and stores nothing",
        command=[runtime, "server.mjs", "{port}"],
        folder=folder,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_ENV": "production"}
        | list_trust_variables(endpoint_url),
        make_event=make_path,
        is_server=True,
    )
