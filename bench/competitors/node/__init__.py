"""The minimal Node peer: what AWS's own Dynamic Image Transformation handler is made of, and no more."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .. import npm
from ..model import Competitor, build_aws_environment

HERE = Path(__file__).parent
FILES = (*npm.LOCKED, "handler.mjs", "bootstrap.mjs", "presets.mjs", "encode.mjs")
REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);"
"""CommonJS parts of the SDK call ``require`` for Node's own modules, which an ES module lacks."""

BUNDLE = (
    *("node_modules/.bin/esbuild", "handler.mjs", "--bundle", "--minify", "--platform=node", "--format=esm"),
    *("--external:sharp", "--outfile=app.mjs", f"--banner:js={REQUIRE}", "--log-level=warning"),
)


def node(endpoint_url: str) -> Competitor:
    """The Node handler, against the S3 at ``endpoint_url``; raises Missing."""
    runtime, folder = _installed()
    return Competitor(
        name="Node",
        what="a minimal handler of ours: AWS SDK v3 bundled by esbuild, sharp; answers without storing",
        command=[runtime, "bootstrap.mjs", "./app.mjs"],
        folder=folder,
        environment=build_aws_environment(endpoint_url),
    )


def node_that_stores(endpoint_url: str) -> Competitor:
    """The same with a PUT of the picture before the answer; raises Missing."""
    plain = node(endpoint_url)
    return replace(
        plain,
        name="Node, storing",
        what="the same, but it puts the picture into S3 before it answers, as Darkroom does",
        environment={**plain.environment, "WRITE_BACK": "1"},
        stores=True,
    )


def sharp_at_ingest(source: Path, wanted: Mapping[str, object]) -> Competitor:
    """sharp making all presets of ``source``; ``wanted`` are their options by name. Raises Missing."""
    runtime, folder = _installed()
    return Competitor(
        name="sharp",
        what="in Node: a decode for each picture, at its own defaults but for the quality, which scores as Darkroom's",
        command=[runtime, "presets.mjs", source, json.dumps(wanted)],
        folder=folder,
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )


def install_encoder() -> tuple[str, Path]:
    """Node, and the folder with ``encode.mjs``, with which sharp encodes test images; raises Missing."""
    return _installed()


def read_versions() -> str:
    """Of Node and sharp; raises Missing."""
    runtime, folder = _installed()
    found = subprocess.run([runtime, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    package = json.loads((folder / "node_modules" / "sharp" / "package.json").read_text(encoding="utf-8"))
    return f"Node {found.removeprefix('v')}, sharp {package['version']}"


def _installed() -> tuple[str, Path]:
    return npm.install("node", "The Node handler", [HERE / name for name in FILES], [BUNDLE])
