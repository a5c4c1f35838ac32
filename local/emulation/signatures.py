"""Signature verification that MiniStack 1.5.33 lacks: of origin requests, and of calls of key-value stores.

CloudFront signs requests to Function URLs with IAM and to S3 hosts with origin access control. Functions receive
MiniStack's modules as arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from cloudfront_local.signed_paths import is_unambiguous

ALGORITHM = "AWS4-HMAC-SHA256"
ASYMMETRIC = "AWS4-ECDSA-P256-SHA256"
"""The algorithm of Signature Version 4A."""

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class Verifier:
    """Verifies header signatures of the access key in ``environment``. ``sigv4`` is MiniStack's module."""

    def __init__(self, sigv4: Any, environment: Mapping[str, str]) -> None:
        self._sigv4 = sigv4
        self._key = environment.get("AWS_ACCESS_KEY_ID", "")
        self._secret = environment.get("AWS_SECRET_ACCESS_KEY", "")

    def failure(
        self,
        service: str,
        method: str,
        path: str,
        query: Mapping[str, Any],
        headers: Mapping[str, str],
        body: bytes,
        algorithm: str = ALGORITHM,
    ) -> str:
        """Return why the signature for ``service`` is invalid, "" if it is valid. ``path`` is the signed path."""
        if not headers.get("authorization", "").startswith(f"{algorithm} "):
            return f"it is not signed by {algorithm}"
        signature = self._sigv4.parse_header_signature(headers)
        if isinstance(signature, tuple):
            return f"{signature[0]}: {signature[1]}"
        if signature.access_key_id != self._key:
            return f"unknown access key {signature.access_key_id}"
        if signature.service != service:
            return f"it is signed for {signature.service}, not for {service}"
        found = self._sigv4.request_time_failure(signature) or self._sigv4.header_signature_failure(
            signature, self._secret, method, path, query, headers, body
        )
        return f"{found[0]}" if found else ""


def verify_function_urls(service: Any, verifier: Verifier) -> None:
    """Reject requests to Function URLs with IAM without a valid signature, and paths that AWS canonicalises in two
    ways.

    ``service`` is MiniStack's Lambda module, which accepts any Authorization header of the right algorithm.
    """
    handle = service.handle_function_url_request

    async def verify_and_handle(
        url_id: str, method: str, path: str, headers: Any, body: bytes, query: Any, *rest: Any, **named: Any
    ) -> Any:
        resolved = service.resolve_function_url(url_id)
        if resolved is not None and resolved[4].get("AuthType") == "AWS_IAM":
            reason = verifier.failure("lambda", method, path, query, headers, body)
            if not reason and not is_unambiguous(path):
                reason = "CloudFront and Lambda canonicalise the path differently"
            if reason:
                service.logger.warning("Function URL refused %s %s: %s", method, path, reason)
                return build_error(signed="authorization" in headers)
        return await handle(url_id, method, path, headers, body, query, *rest, **named)

    service.handle_function_url_request = verify_and_handle


def build_error(*, signed: bool) -> tuple[int, dict[str, str], bytes]:
    """Return the response of a Function URL or a key-value store to a request with a wrong or missing signature."""
    kind, name, text = (
        ("InvalidSignatureException", "message", _MISMATCH)
        if signed
        else ("AccessDeniedException", "Message", "Forbidden")
    )
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
    return 403, headers, json.dumps({name: text}).encode()


def verify_virtual_hosts(s3: Any, verifier: Verifier) -> None:
    """Reject S3 requests to a bucket's own host without a valid signature.

    Only the CDN uses such hosts; all other clients use paths, for which MiniStack verifies presigned URLs. No bucket of
    the template is public. ``s3`` is MiniStack's module.
    """
    handle = s3.handle_request

    async def verify_and_handle(
        method: str, path: str, headers: Any, body: bytes, query: Any, signed_path: str | None = None, **named: Any
    ) -> Any:
        if signed_path is not None and "X-Amz-Signature" not in query:
            as_sent = verifier._sigv4.uri_encode(signed_path, encode_slash=False)
            if reason := verifier.failure("s3", method, as_sent, query, headers, body):
                s3.logger.warning("S3 refused %s %s: %s", method, path, reason)
                signed = "authorization" in headers
                code, text = ("SignatureDoesNotMatch", _MISMATCH) if signed else ("AccessDenied", "Access Denied")
                return s3._error(code, text, 403, path)
        return await handle(method, path, headers, body, query, signed_path=signed_path, **named)

    s3.handle_request = verify_and_handle


KEY_VALUE_STORES = "cloudfront-keyvaluestore"

_SENT_PATH: ContextVar[str] = ContextVar("sent_path", default="")


def verify_key_value_stores(app: Any, evaluator: Any, verifier: Verifier) -> None:
    """Reject calls of key-value stores that are not signed by version 4A for every region, as CloudFront does.

    MiniStack verifies signatures of keys that it issued, of either version, and none of the root user's. ``app`` and
    ``evaluator`` are its modules. Source: CloudFront developer guide, "Work with key value data".
    """
    own, pin = app.SERVICE_HANDLERS[KEY_VALUE_STORES], app.pin_signed_request

    def pin_path(method: str, raw_path: str, *rest: Any, **named: Any) -> None:
        _SENT_PATH.set(raw_path)
        pin(method, raw_path, *rest, **named)

    async def verify_and_handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        key = app.extract_access_key_id(headers, query)
        if headers.get("authorization", "").startswith(f"{ASYMMETRIC} ") and evaluator._verified_key.get() == key:
            reason = ""
        else:
            reason = verifier.failure(KEY_VALUE_STORES, method, _SENT_PATH.get(), query, headers, body, ASYMMETRIC)
        if not reason and headers.get("x-amz-region-set") != "*":
            reason = "it is not signed for every region"
        if reason:
            app.logger.warning("The key-value store refused %s %s: %s", method, path, reason)
            return build_error(signed="authorization" in headers)
        return await own(method, path, headers, body, query)

    app.pin_signed_request = pin_path
    app.SERVICE_HANDLERS[KEY_VALUE_STORES] = verify_and_handle
