"""The minimal Node peer: the libraries of AWS's Dynamic Image Transformation handler, and no more."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .. import npm
from ..model import Competitor, build_aws_environment

HERE = Path(__file__).parent
FILES = (*npm.LOCKED, "handler.mjs", "bootstrap.mjs", "presets.mjs", "encode.mjs")
REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);"
"""CommonJS modules of the SDK call ``require`` for Node's modules, which ES modules lack."""

BUNDLE = (
    *("node_modules/.bin/esbuild", "handler.mjs", "--bundle", "--minify", "--platform=node", "--format=esm"),
    *("--external:sharp", "--outfile=app.mjs", f"--banner:js={REQUIRE}", "--log-level=warning"),
)


def node(endpoint_url: str) -> Competitor:
    """Return the Node handler with the S3 at ``endpoint_url``. Raises MissingCompetitor."""
    runtime, folder = _installed()
    return Competitor(
        name="Node",
        what="a minimal handler: AWS SDK v3 bundled by esbuild, sharp; responds without storing",
        command=[runtime, "bootstrap.mjs", "./app.mjs"],
        folder=folder,
        environment=build_aws_environment(endpoint_url),
    )


def sharp_at_ingest(source: Path, presets: Mapping[str, object]) -> Competitor:
    """Return sharp rendering all presets of ``source``; ``presets`` are their options by name.

    Raises MissingCompetitor.
    """
    runtime, folder = _installed()
    return Competitor(
        name="sharp",
        what="in Node: a decode for each image, with its defaults except for the quality, which scores as Darkroom's",
        command=[runtime, "presets.mjs", source, json.dumps(presets)],
        folder=folder,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )


def install_encoder() -> tuple[str, Path]:
    """Return Node and the folder of ``encode.mjs``, which encodes test images with sharp. Raises MissingCompetitor."""
    return _installed()


def read_versions() -> str:
    """Return the versions of Node and sharp. Raises MissingCompetitor."""
    runtime, folder = _installed()
    found = subprocess.run([runtime, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    package = json.loads((folder / "node_modules" / "sharp" / "package.json").read_text(encoding="utf-8"))
    return f"Node {found.removeprefix('v')}, sharp {package['version']}"


def _installed() -> tuple[str, Path]:
    return npm.install("node", "The Node handler", [HERE / name for name in FILES], [BUNDLE])
