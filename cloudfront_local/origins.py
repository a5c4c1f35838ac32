"""Requests to origins: S3, Function URLs and HTTP APIs, all at MiniStack's endpoint.

The first two are signed as by origin access control (SigV4).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import aiohttp
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from multidict import CIMultiDict
from yarl import URL

from .journal import Journal, OriginCall
from .messages import Response
from .model import Origin, OriginKind
from .signed_paths import is_unambiguous

_SIGNERS = {OriginKind.S3: S3SigV4Auth, OriginKind.FUNCTION_URL: SigV4Auth}
_HTTP_API = re.compile(r"([a-z0-9]+)\.execute-api\.")
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
_AUTO_HEADERS = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
"""Headers that aiohttp adds by default, and CloudFront does not."""

_CORS_PREFIX = "access-control-"
"""MiniStack adds these headers to every response, S3 only for a bucket with CORS rules, which the media bucket lacks.
"""


class OriginUnreachable(Exception):
    """The origin did not respond, or not in time."""

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Origins(Protocol):
    """The origins of a distribution."""

    async def send(
        self,
        origin: Origin,
        method: str,
        target: str,
        headers: CIMultiDict[str],
        request_id: str,
        body: bytes = b"",
    ) -> Response:
        """Return ``origin``'s response for ``target``, its path and query; raises OriginUnreachable."""


class MiniStackOrigins:
    """Origins of a distribution that is deployed in MiniStack at ``endpoint_url``."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint_url: str,
        region: str,
        credentials: Credentials,
        journal: Journal,
        report: Callable[[str], None] = print,
    ) -> None:
        self._session = session
        self._endpoint_url = endpoint_url.rstrip("/")
        self._region = region
        self._credentials = credentials
        self._journal = journal
        self._report = report

    async def send(
        self,
        origin: Origin,
        method: str,
        target: str,
        headers: CIMultiDict[str],
        request_id: str,
        body: bytes = b"",
    ) -> Response:
        """See Origins."""
        path = origin.path + target
        sent = self._sign(origin, method, path, headers)
        started_s, clock = time.time(), time.perf_counter()
        status = 0
        try:
            async with self._session.request(
                method,
                URL(self._endpoint_url + _encode_path(origin, path), encoded=True),
                data=body or None,
                headers=sent,
                skip_auto_headers=_AUTO_HEADERS,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=origin.timeout_s),
            ) as response:
                content = await response.read()
                status = response.status
                if reason := describe_refusal(origin, target, status, response.headers):
                    self._report(f"origin {origin.id} refused {method} {path}: {reason}")
                return Response(status, _filter_headers(origin, method, response.headers), content, origin.id)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OriginUnreachable(repr(error), timed_out=isinstance(error, TimeoutError)) from error
        finally:
            took_ms = round((time.perf_counter() - clock) * 1000, 1)
            self._journal.note(
                OriginCall(request_id, method, path, origin.id, origin.kind.value, status, started_s, took_ms)
            )

    def _sign(self, origin: Origin, method: str, path: str, headers: CIMultiDict[str]) -> CIMultiDict[str]:
        sent = CIMultiDict(headers)
        if signer := _SIGNERS.get(origin.kind):
            request = AWSRequest(method, f"https://{origin.domain}{path}")
            signer(self._credentials, origin.kind.value, self._region).add_auth(request)
            sent.update(request.headers.items())
        if not _HTTP_API.match(origin.domain):  # MiniStack finds those by the path, and knows no such host
            sent["Host"] = origin.domain
        return sent


def describe_refusal(origin: Origin, target: str, status: int, headers: Mapping[str, str]) -> str:
    """Return why a Function URL itself answered 403 to ``target``, "" if it did not: its response is not specific."""
    kind = headers.get("x-amzn-ErrorType", "")
    if status != 403 or origin.kind is not OriginKind.FUNCTION_URL or not kind:
        return ""
    if not is_unambiguous(target.partition("?")[0]):
        return f"{kind}: CloudFront and Lambda canonicalise the path differently"
    return kind


def _encode_path(origin: Origin, path: str) -> str:
    """Return the path at MiniStack's endpoint.

    It decodes ``rawPath`` of a Function URL's event, which AWS does not, and has HTTP APIs below a path.
    """
    if api := _HTTP_API.match(origin.domain):
        return f"/_aws/execute-api/{api[1]}{path}"
    return path.replace("%", "%25") if origin.kind is OriginKind.FUNCTION_URL else path


def _filter_headers(origin: Origin, method: str, headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return an origin's headers without hop-by-hop ones. ``content-length`` is kept for HEAD only."""
    dropped = _HOP_BY_HOP if method == "HEAD" else _HOP_BY_HOP | {"content-length"}
    from_s3 = origin.kind is OriginKind.S3
    return CIMultiDict(
        (name, value)
        for name, value in headers.items()
        if name.lower() not in dropped and not (from_s3 and name.lower().startswith(_CORS_PREFIX))
    )
