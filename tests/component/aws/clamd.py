"""A clamd process with its own signatures; freshclam's servers are not needed."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

PROGRAM = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + "$H+H*").encode()
"""The EICAR test file, split so that no scanner finds it in this source file."""

MARKER = b"darkroom test marker"
MAX_STREAM_BYTES = 1024 * 1024


def signatures(folder: Path) -> None:
    """The file's hash, and a byte sequence in any file (ClamAV's documentation, "Signatures")."""
    digest = hashlib.md5(EICAR).hexdigest()
    (folder / "test.hdb").write_text(f"{digest}:{len(EICAR)}:Eicar-Test\n", encoding="ascii")
    (folder / "test.ndb").write_text(f"Darkroom.Marker:0:*:{MARKER.hex()}\n", encoding="ascii")


@contextmanager
def running(folder: Path, port: int) -> Iterator[str]:
    """Run a daemon that listens on ``port`` and on a socket, and yield the socket's path."""
    assert PROGRAM
    place = folder / "clamd.sock"
    signatures(folder)
    settings = {
        "DatabaseDirectory": folder,
        "LocalSocket": place,
        "TCPAddr": "127.0.0.1",
        "TCPSocket": port,
        "StreamMaxLength": MAX_STREAM_BYTES,
        "LogFile": folder / "clamd.log",
        "Foreground": "yes",
        "MaxThreads": 2,
    }
    configuration = folder / "clamd.conf"
    configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
    daemon = subprocess.Popen([PROGRAM, f"--config-file={configuration}"], stdout=subprocess.DEVNULL)
    try:
        _wait(daemon, place, folder / "clamd.log")
        yield str(place)
    finally:
        daemon.terminate()
        daemon.wait()


def _wait(daemon: subprocess.Popen[bytes], place: Path, log: Path) -> None:
    def listens() -> bool:
        assert daemon.poll() is None, said()
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(place)) == 0

    def said() -> str:
        return log.read_text(encoding="utf-8") if log.exists() else "clamd did not start"

    wait_until(listens, said)
