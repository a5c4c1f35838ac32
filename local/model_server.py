"""Command and environment of the model server (``endpoint/serve.py``) on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from . import tool_venvs
from .paths import ROOT
from .ports import find_free_ports
from .supervisor import ServerSpec


def find_models(models: Path, name: str, log: Path) -> tuple[str, ServerSpec]:
    """Return the address of a server for the models of ``models`` on a free port, and its specification."""
    [port] = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [tool_venvs.python_path(tool_venvs.ENDPOINT), ROOT / "endpoint" / "serve.py"]
    return url, ServerSpec(name, command, _environment(port, models), f"{url}/ping", log)


def _environment(port: int, models: Path) -> dict[str, str]:
    """Return all environment variables of the server."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return inherited | {
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "MODEL_DIR": str(models),
        "PYTHONPATH": ":".join(str(ROOT / "layers" / name) for name in ("darkroom", "analysis")),
        "PYTHONUNBUFFERED": "1",
    }
