"""How the model server (``endpoint/serve.py``) is run on this machine, with the models of a folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from . import tool_venvs
from .paths import ROOT
from .supervisor import ServerSpec


def find_models(models: Path, name: str, log: Path) -> tuple[str, ServerSpec]:
    """The address of a server with the models of ``models``, at a free port, and how it is run."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [tool_venvs.python_of(tool_venvs.ENDPOINT), ROOT / "endpoint" / "serve.py"]
    return url, ServerSpec(name, command, _environment(port, models), f"{url}/ping", log)


def _environment(port: int, models: Path) -> dict[str, str]:
    """All of its environment variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "MODEL_DIR": str(models),
        "PYTHONPATH": str(ROOT / "layers" / "darkroom"),
        "PYTHONUNBUFFERED": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
