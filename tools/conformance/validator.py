"""Install and run PyPI's ``iiif-validator`` in a virtual environment."""

from __future__ import annotations

import subprocess
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


def validate(url: str, identifier: str, level: int, version: str) -> int:
    """Run all tests of ``version`` up to ``level`` against the server at ``url``. Return the number of failures."""
    found = urlsplit(url)
    python = tool_venvs.python_path(tool_venvs.CONFORMANCE)
    command = [str(python), str(python.parent / "iiif-validate.py")]
    server = ["--server", found.netloc, "--scheme", found.scheme, "--prefix", PREFIXES[version]]
    tested = ["--identifier", identifier, "--version", version, "--level", str(level)]
    return subprocess.run([*command, *server, *tested], check=False).returncode  # noqa: S603
