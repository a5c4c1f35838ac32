"""Free ports for stacks that run beside others."""

from __future__ import annotations

import socket


def find_free_ports(count: int) -> list[int]:
    """Return ``count`` different ports on which nothing listens now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
