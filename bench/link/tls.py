"""Certificates of the link: an authority on this machine, which every competitor trusts beside the system's.

All competitors verify the certificate. Their TLS libraries learn of the authority by variables.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..build_cache import build_once
from ..paths import WORK

KEY = ("-newkey", "rsa:2048", "-noenc", "-days", "3650")
"""S3's certificates have RSA keys of this length."""
AUTHORITY = ("-subj", "/CN=Darkroom benchmark authority", "-addext", "keyUsage=critical,keyCertSign")
SERVER = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE")


def make_certificates() -> Path:
    """Return a folder with the authority's certificate ``ca.pem``, ``server.pem`` (with its key) and ``bundle.pem``.

    The bundle has the system's authorities, too: a function on Lambda loads them all. Raises OSError without openssl.
    """
    if shutil.which("openssl") is None:
        raise FileNotFoundError("the link's certificates: openssl is not installed")
    return build_once(WORK / "tls", [Path(__file__)], _make)


def list_trust_variables(endpoint_url: str) -> dict[str, str]:
    """Return the environment variables by which a competitor trusts ``endpoint_url``, if it is HTTPS.

    ``SSL_CERT_FILE`` is read by rustls' native certificates (obstore) and OpenSSL (thumbor's Tornado),
    ``NODE_EXTRA_CA_CERTS`` by Node, ``CURL_CA_BUNDLE`` by libcurl.
    """
    if not endpoint_url.startswith("https:"):
        return {}
    folder = make_certificates()
    bundle = str(folder / "bundle.pem")
    return {
        "SSL_CERT_FILE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": str(folder / "ca.pem"),
    }


def load_server_context(certificate: Path) -> ssl.SSLContext:
    """Return the server's context, with the newest protocol that both sides have, as S3 (TLS 1.3)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def _make(folder: Path) -> None:
    authority, key = folder / "ca.pem", folder / "ca.key"
    _request(AUTHORITY, authority, key)
    _request((*SERVER, "-CA", str(authority), "-CAkey", str(key)), folder / "server.crt", folder / "server.key")
    server = (folder / "server.crt").read_bytes() + (folder / "server.key").read_bytes()
    (folder / "server.pem").write_bytes(server)
    system = ssl.get_default_verify_paths().cafile
    known = Path(system).read_bytes() if system else b""
    (folder / "bundle.pem").write_bytes(known + authority.read_bytes())


def _request(options: Sequence[str], certificate: Path, key: Path) -> None:
    command = ["openssl", "req", "-x509", *KEY, *options, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
