"""DIT's calls: what AWS's Dynamic Image Transformation calls of the SDK and sharp, in a handler of this repository."""

from __future__ import annotations

from pathlib import Path

from .. import npm
from ..model import BUCKET, Competitor, build_api_gateway_event, build_aws_environment

HERE = Path(__file__).parent
BOOTSTRAP = HERE.parent / "node" / "bootstrap.mjs"
FILES = (*(HERE / name for name in (*npm.LOCKED, "handler.mjs")), BOOTSTRAP)
NAME = "DIT's calls"
BUNDLE = (
    *("node_modules/.bin/esbuild", "handler.mjs", "--bundle", "--platform=node", "--target=node20"),
    *("--external:sharp", "--outfile=index.js", "--log-level=warning"),
)
"""CDK's bundling: CommonJS, not minified, everything included except sharp."""


def dit(endpoint_url: str) -> Competitor:
    """Return the handler with the S3 at ``endpoint_url``. Raises MissingCompetitor."""
    runtime, folder = npm.install("dit", NAME, FILES, [BUNDLE])
    return Competitor(
        name=NAME,
        what="a handler of this repository with the calls of AWS's Dynamic Image Transformation v7 (SDK v3, sharp, its "
        "log lines), bundled as it is; renders each time and stores nothing",
        command=[runtime, "bootstrap.mjs", "./index.js"],
        folder=folder,
        environment=build_aws_environment(endpoint_url) | {"SOURCE_BUCKETS": BUCKET},
        make_event=build_api_gateway_event,
    )
