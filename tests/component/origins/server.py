"""An HTTPS server on this machine, and a network in which public addresses lead to it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from darkroom.origins.network import Network

PUBLIC = "93.184.216.34"
HOST = "img.example.com"
HOSTS = (HOST, "cdn.example.com", "evil.example.org")

type Handle = Callable[[BaseHTTPRequestHandler], None]


def issue_certificate(folder: Path, hosts: Sequence[str] = HOSTS) -> Path:
    """Write a certificate for ``hosts`` with its key, signed by itself; return the file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@dataclass
class Origin:
    """The server: ``pages`` answer by path, ``requests`` are the paths and headers that it has received."""

    port: int
    certificate: Path
    pages: dict[str, Handle] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    def network(self, names: dict[str, Sequence[str]] | None = None) -> Network:
        """A network whose resolver knows ``names``, and in which every address leads to the server."""
        known = {host: [PUBLIC] for host in HOSTS} | (names or {})

        def resolve(host: str, port: int) -> Sequence[str]:
            if host not in known:
                raise socket.gaierror(f"{host} is unknown")
            return known[host]

        def connect(address: tuple[str, int]) -> socket.socket:
            self.dialled.append(address)
            return socket.create_connection(("127.0.0.1", self.port))

        return Network(resolve, connect, ssl.create_default_context(cafile=str(self.certificate)))

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]


def send(
    request: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"", *, length: bool = True, **headers: str
) -> None:
    """Send a response; an underscore in the name of a header is a dash."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    if length and "Content_Length" not in headers:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def page(body: bytes = b"", status: int = 200, *, length: bool = True, **headers: str) -> Handle:
    """Return a handler that sends one response."""
    return lambda request: send(request, status, body, length=length, **headers)


@contextmanager
def run_origin(folder: Path) -> Iterator[Origin]:
    """Run a server until the context exits."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            origin.requests.append((self.headers.get("Host", ""), self.path, dict(self.headers)))
            handle = origin.pages.get(self.path)
            handle(self) if handle else send(self, 404)

        def log_message(self, *_: object) -> None:
            """Write nothing to standard error."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Ignore clients that hang up."""

    certificate = issue_certificate(folder)
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    origin = Origin(server.server_port, certificate)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
