"""Connections to public addresses only: the resolved address is checked, and the connection is made to that address.

A name is resolved once for each connection. Resolving it again when connecting could return another address (DNS
rebinding), so the socket is opened to the address that was checked, and only TLS and the Host header use the name.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from ipaddress import IPv6Address, ip_address, ip_network

from ..errors import SourceBlocked, Unavailable

CONNECT_S = 3.0
"""Timeout of a connection, and of each read from it."""

_ISATAP = 0x5EFE
"""Bits 32 to 63 of an IPv6 address that contains one of IPv4 (RFC 5214), without the bit for unique ones."""
_TRANSLATED = tuple(map(ip_network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")))
"""IPv6 networks whose addresses contain one of IPv4: compatible ones (RFC 4291) and NAT64 (RFC 6052, RFC 8215)."""


def is_public(text: str) -> bool:
    """Whether ``text`` is an address of the public internet. Addresses that contain another one are not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and (
        address.ipv4_mapped
        or address.sixtofour
        or address.teredo
        or address.scope_id
        or address.is_site_local
        or (int(address) >> 32) & 0xFDFFFFFF == _ISATAP
        or any(address in network for network in _TRANSLATED)
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_private)


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _connect(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, CONNECT_S)


@dataclass(frozen=True)
class Network:
    """The resolver, which returns addresses of a host and port, and the dialler of an address and port."""

    resolve: Callable[[str, int], Sequence[str]] = _resolve
    connect: Callable[[tuple[str, int]], socket.socket] = _connect
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def open(self, host: str, port: int) -> Connection:
        """Open a connection to ``host``, all of whose addresses must be public. Raises SourceBlocked, Unavailable."""
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unavailable(detail=f"resolve {host}: {error}") from error
        if not addresses or not all(map(is_public, addresses)):
            raise SourceBlocked(detail=f"{host} has the addresses {', '.join(addresses) or 'none'}")
        try:
            plain = self.connect((addresses[0], port))
        except OSError as error:
            raise Unavailable(detail=f"connect {host}: {error}") from error
        try:
            plain.settimeout(CONNECT_S)
            return Connection(host, port, self.tls.wrap_socket(plain, server_hostname=host))
        except OSError as error:
            plain.close()
            raise Unavailable(detail=f"TLS {host}: {error}") from error


class Connection(HTTPConnection):
    """HTTP on an open socket to ``host``. It never connects by itself."""

    default_port = 443
    auto_open = 0

    def __init__(self, host: str, port: int, opened: socket.socket) -> None:
        super().__init__(host, port, timeout=CONNECT_S)
        self.sock = opened
