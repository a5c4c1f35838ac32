"""Run thumbor from its PyPI package, with a folder as its source."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.build_cache import build_once
from bench.competitors.thumbor import LOCK
from bench.emulator import install
from bench.paths import WORK

START_S = 60


def installed() -> Path:
    """The folder with thumbor and its dependencies; raises OSError or CalledProcessError if it cannot be installed."""
    return build_once(WORK / "thumbor", [LOCK], lambda folder: install(LOCK, folder), sys.version)


@contextmanager
def thumbor(site: Path, folder: Path, **settings: object) -> Iterator[str]:
    """The address of a running thumbor that reads the files of ``folder``, with ``settings`` of thumbor.conf."""
    configured = {
        "ALLOW_UNSAFE_URL": True,
        "AUTO_WEBP": False,
        "STORAGE": "thumbor.storages.no_storage",
        "LOADER": "thumbor.loaders.file_loader",
        "FILE_LOADER_ROOT_PATH": str(folder),
        "RESPECT_ORIENTATION": True,
        "ALLOW_ANIMATED_GIFS": True,
    } | settings
    configuration = folder / "thumbor.conf"
    configuration.write_text("".join(f"{name} = {value!r}\n" for name, value in configured.items()), encoding="utf-8")
    port = _free_port()
    command = [sys.executable, "-m", "thumbor.server", "--port", str(port), "--ip", "127.0.0.1"]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(site), "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--conf", str(configuration)], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(process, address, folder / "log")
            yield address
        finally:
            process.kill()
            process.wait()


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body of ``url``."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if fetch(f"{address}/healthcheck")[0] == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(log.read_text(encoding="utf-8", errors="replace"))
