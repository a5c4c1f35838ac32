"""Signature Version 4A, which CloudFront's key-value stores require: ECDSA over P-256 with a key from the secret key.

botocore signs so only with AWS's C library, which every function with boto3 would then import. Sources: IAM user guide,
"AWS Signature Version 4 for API requests" (SigV4a); the key derivation of aws-c-auth (``key_derivation.c``); the curve
of FIPS 186-4, D.1.2.3. The arithmetic is not constant-time: it signs a few requests a day within a function.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from hmac import digest
from typing import Any

from botocore.auth import SigV4Auth

ALGORITHM = "AWS4-ECDSA-P256-SHA256"

PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

type Point = tuple[int, int] | None
"""A point of the curve; None is the point at infinity."""


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % PRIME == 0:
        return None
    above, below = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = above * pow(below, -1, PRIME) % PRIME
    x3 = (slope * slope - x1 - x2) % PRIME
    return x3, (slope * (x1 - x3) - y1) % PRIME


def multiply(factor: int, point: Point = GENERATOR) -> Point:
    """Multiply ``point`` by ``factor``."""
    found: Point = None
    while factor:
        if factor & 1:
            found = _add(found, point)
        point = _add(point, point)
        factor >>= 1
    return found


def derive_key(access_key: str, secret_key: str) -> int:
    """Derive the private key of a pair of credentials."""
    for counter in range(1, 255):
        context = access_key.encode() + bytes([counter])
        fixed = b"\0\0\0\1" + ALGORITHM.encode() + b"\0" + context + (256).to_bytes(4)
        candidate = int.from_bytes(digest(b"AWS4A" + secret_key.encode(), fixed, "sha256"))
        if candidate <= ORDER - 2:
            return candidate + 1
    raise ValueError("no key can be derived from these credentials")


def sign(private_key: int, message: bytes) -> bytes:
    """Sign ``message`` by ECDSA with SHA-256; return the signature in DER."""
    number = int.from_bytes(sha256(message).digest())
    while True:
        nonce = 1 + secrets.randbelow(ORDER - 1)
        point = multiply(nonce)
        r = point[0] % ORDER if point else 0
        s = pow(nonce, -1, ORDER) * (number + r * private_key) % ORDER
        if r and s:
            body = _der_integer(r) + _der_integer(s)
            return bytes([0x30, len(body)]) + body


def _der_integer(number: int) -> bytes:
    body = number.to_bytes(number.bit_length() // 8 + 1)  # with room for the sign
    return bytes([2, len(body)]) + body


class SigV4AAuth(SigV4Auth):
    """Signs requests for every region; the rest is as in version 4."""

    def __init__(self, credentials: Any, service: str) -> None:
        super().__init__(credentials, service, "*")
        self._service = service

    def _modify_request_before_signing(self, request: Any) -> None:
        super()._modify_request_before_signing(request)  # type: ignore[misc] # not in the stubs
        del request.headers["X-Amz-Region-Set"]
        request.headers["X-Amz-Region-Set"] = "*"

    def credential_scope(self, request: Any) -> str:
        """Return the scope, which names no region."""
        return f"{request.context['timestamp'][:8]}/{self._service}/aws4_request"

    def scope(self, request: Any) -> str:
        """Return the scope with the access key."""
        return f"{self.credentials.access_key}/{self.credential_scope(request)}"

    def string_to_sign(self, request: Any, canonical_request: str) -> str:
        """Return what the signature covers."""
        return "\n".join(
            (
                ALGORITHM,
                request.context["timestamp"],
                self.credential_scope(request),
                sha256(canonical_request.encode()).hexdigest(),
            )
        )

    def signature(self, string_to_sign: str, request: Any) -> str:  # noqa: ARG002 - as in the base class
        """Return the signature in hexadecimal DER."""
        key = derive_key(str(self.credentials.access_key), str(self.credentials.secret_key))
        return sign(key, string_to_sign.encode()).hex()

    def _inject_signature_to_request(self, request: Any, signature: str) -> Any:
        signed = self.signed_headers(self.headers_to_sign(request))
        request.headers["Authorization"] = (
            f"{ALGORITHM} Credential={self.scope(request)}, SignedHeaders={signed}, Signature={signature}"
        )
        return request
