"""Start the server in its own network namespace, analyse an image and write the result to standard output.

``python -m tests.component.endpoint.isolated MODELS SCRATCH IMAGE``. The loopback interface is all that there is, as in
a container with SageMaker's network isolation.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import sys
from pathlib import Path

from .serving import serving

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
"""netdevice(7): sets the flags of an interface, up among them."""

OUTSIDE = ("192.0.2.1", 80)
"""An address for documentation (RFC 5737)."""


def main(models: str, scratch: str, image: str) -> None:
    """Print the reply's status, its tasks, and why the network outside cannot be reached."""
    with socket.socket() as probe:
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
    unreachable = ""
    try:
        socket.create_connection(OUTSIDE, timeout=1).close()
    except OSError as error:
        unreachable = str(error)
    with serving(Path(models), Path(scratch)) as server:
        reply = server.invoke(Path(image).read_bytes(), "similarity")
    print(json.dumps({"status": reply.status, "tasks": [*reply.document["tasks"]], "unreachable": unreachable}))


if __name__ == "__main__":
    main(*sys.argv[1:])
