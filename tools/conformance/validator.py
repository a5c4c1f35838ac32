"""Install and run PyPI's ``iiif-validator`` in a virtual environment."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from urllib.parse import urlsplit

from local import tool_venvs
from local.errors import StartError
from local.progress import Progress

PREFIXES = {"2.0": "iiif/2", "3.0": "iiif/3"}
"""URL prefix of each version by the validator's name: its tests of 2.0 are those of 2.1."""


async def prepare() -> None:
    """Install the validator unless it is installed. Raises StartError."""
    await tool_venvs.ensure_one(tool_venvs.CONFORMANCE, Progress())
    done = subprocess.run(  # noqa: S603
        [tool_venvs.python_path(tool_venvs.CONFORMANCE), "-c", "import magic"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartError(
            "The validator needs libmagic; on Debian: apt-get install libmagic1t64\n" + done.stderr.strip()
        )


def validate_all(url: str, identifier: str, level: int, versions: Sequence[str]) -> int:
    """Run all tests of ``versions`` up to ``level`` against the server at ``url``. Return the number of failures."""
    found = urlsplit(url)
    python = tool_venvs.python_path(tool_venvs.CONFORMANCE)
    command = [str(python), str(python.parent / "iiif-validate.py"), "--server", found.netloc, "--scheme", found.scheme]
    failed = 0
    for version in versions:
        print(f"IIIF Image API {version}, level {level}", flush=True)  # noqa: T201
        tested = ["--identifier", identifier, "--version", version, "--level", str(level)]
        failed += subprocess.run([*command, "--prefix", PREFIXES[version], *tested], check=False).returncode  # noqa: S603
    return failed
