"""Browser access to the stack, and access behind the CDN: stored objects and requests of the function."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import urllib3

from darkroom.image_keys import MASTERS, encode_key
from darkroom.plan.native_url import parse_url
from darkroom.plan.url_builder import sign_literal
from darkroom.signing import sign
from tests.waiting import HANG_S


@dataclass(frozen=True)
class Answer:
    """A response of the CDN. ``cache`` is the first word of ``X-Cache``."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def cache(self) -> str:
        return self.headers.get("x-cache", "").split(" ")[0]

    @property
    def problem(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Viewer:
    """Asks the CDN at ``cdn_url``; ``s3`` is a boto3 client of the store behind it."""

    def __init__(self, *, cdn_url: str, s3: Any, media_bucket: str, signing_key: str) -> None:
        self._cdn_url = cdn_url.rstrip("/")
        self._s3 = s3
        self._bucket = media_bucket
        self._key = signing_key
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=HANG_S)
        self._numbers = itertools.count()
        self._session = secrets.token_hex(4)

    def get(self, url: str, **headers: str) -> Answer:
        """GET ``url`` (path and query); ``sec_ch_dpr="2"`` sends ``sec-ch-dpr: 2``. Follows no redirect."""
        return self._ask("GET", url, headers)

    def again(self, url: str, **headers: str) -> Answer:
        """GET a URL again, from the CDN's cache; twice more if an upload's invalidation came in between."""
        for _ in range(2):
            if (answer := self.get(url, **headers)).cache == "Hit":
                return answer
        return self.get(url, **headers)

    def head(self, url: str, **headers: str) -> Answer:
        return self._ask("HEAD", url, headers)

    def options(self, url: str, **headers: str) -> Answer:
        return self._ask("OPTIONS", url, headers)

    def _ask(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._pool.request(method, self._cdn_url + url, headers=sent, redirect=False)
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def upload(self, body: bytes, name: str) -> str:
        """Put ``body`` among the masters under a new key that ends in ``name``; its path, percent-encoded."""
        key = f"e2e-{self._session}/{next(self._numbers)}/{name}"
        self._s3.put_object(Bucket=self._bucket, Key=MASTERS.name(key), Body=body)
        return "/" + quote(key, safe="/~")

    def signed(self, url: str) -> str:
        request = parse_url(url)
        return f"{url}{'&' if '?' in url else '?'}s={sign(request.path, self._key, request.expires_s)}"

    def signed_literally(self, url: str) -> str:
        """``url`` with a signature over itself, as it is written."""
        return sign_literal(url, self._key)

    def derivatives(self, path: str) -> list[str]:
        """The names of a source's stored derivatives, below its ``/_/``."""
        prefix = f"derivatives{encode_key(unquote(path))}/_/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [found["Key"].removeprefix(prefix) for page in pages for found in page.get("Contents", [])]

    def stored(self, path: str) -> bytes | None:
        """The stored derivative at a canonical path, its key percent-encoded; None if there is none."""
        key, separator, options = path.partition("/_/")
        name = f"derivatives{encode_key(unquote(key))}{separator}{options}"
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=name)
        except self._s3.exceptions.NoSuchKey:
            return None
        return bytes(found["Body"].read())

    def restart_cdn(self) -> None:
        assert self._pool.request("POST", f"{self._cdn_url}/_local/cdn/restart").status < 300

    def journal(self) -> list[dict[str, Any]]:
        """Every request that the CDN sent to an origin."""
        return list(json.loads(self._pool.request("GET", f"{self._cdn_url}/_local/journal").data))

    def invocations(self) -> int:
        """How often the CDN called the function."""
        return sum(call["kind"] == "lambda" for call in self.journal())

    def renders(self, path: str) -> int:
        """The number of renders of the source at ``path`` by the function."""
        start = f"{encode_key(unquote(path))}/_/"
        return sum(
            call["kind"] == "lambda" and call["status"] in (200, 302, 304) and call["path"].startswith(start)
            for call in self.journal()
        )
